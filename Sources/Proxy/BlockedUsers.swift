import Policy
import Suspensions

/// Who was just blocked, asked once for each exchange that is open: an import may block a thousand users at a time.
struct BlockedUsers: Sendable {
    private struct User: Hashable {
        let directory: DirectoryIndex
        let user: UserID
    }

    private let users: Set<User>

    init(_ subjects: [Subject]) { users = Set(subjects.map { User(directory: $0.directory, user: $0.user) }) }

    /// Whether the user is blocked somewhere in the directory; where is for the index to say.
    func contains(_ user: UserID, in directory: DirectoryIndex) -> Bool { users.contains(User(directory: directory, user: user)) }
}
