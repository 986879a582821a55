import GRDB
import TestSupport

/// What the user services themselves have written down, read from their databases past all HTTP.
struct CommitOracle {
    struct Commit: Sendable {
        let number: Int
        let suspended: Bool
    }

    private let jitsudo: DatabaseQueue
    private let rinne: DatabaseQueue

    init(_ world: World) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        jitsudo = try DatabaseQueue(path: world.jitsudo.database, configuration: configuration)
        rinne = try DatabaseQueue(path: world.rinne.database, configuration: configuration)
    }

    /// The user's commits with a greater number, in order.
    func commits(_ user: Town.User, after number: Int) throws -> [Commit] {
        try (user.isJITSudo ? jitsudo : rinne).read { database in
            try Row.fetchAll(
                database, sql: "SELECT number, suspended FROM commits WHERE user = ? AND number > ? ORDER BY number",
                arguments: [user.isJITSudo ? user.id.uppercased() : user.id, number]
            ).map { Commit(number: $0["number"], suspended: $0["suspended"]) }
        }
    }
}
