package import Policy

/// Where users can be read with a service credential: what ControlPlane hands in, over Proxy's client.
///
/// Asked from any thread; every completion comes exactly once, on any thread.
package protocol UserSource: Sendable {
    /// Asks for one user, as the subject's directory and tenant have it.
    func read(_ subject: Subject, then: @escaping @Sendable (ReadOutcome) -> Void)
    /// The lists that show a directory's users, one for each credential; none where its dialect has no list.
    func lists(of directory: DirectoryIndex) -> [UserList]
    /// Asks for one page of a list, counted from 1.
    func page(_ number: Int, of list: UserList, then: @escaping @Sendable (Result<ListLesson, ReadFailure>) -> Void)
}

/// One list of users: a directory's, or what one tenant's credential sees of it.
package struct UserList: Sendable, Hashable {
    package let directory: DirectoryIndex
    /// Whose suspensions it shows: nil where they reach all tenants.
    package let tenant: FormattedID?
    /// Which of the directory's credentials asks.
    package let credential: Int
    /// Whether there are more pages than one, as the dialect says.
    package let hasPages: Bool

    package init(directory: DirectoryIndex, tenant: FormattedID?, credential: Int, hasPages: Bool) {
        self.directory = directory
        self.tenant = tenant
        self.credential = credential
        self.hasPages = hasPages
    }
}

/// What a read of one user came to.
package enum ReadOutcome: Sendable, Equatable {
    case state(UserState)
    /// The service knows no such user, or none that this credential may see. That teaches nothing: a suspension is not lifted by it.
    case absent
    /// The answer says nothing of the user, or the credential was refused.
    case useless(String)
    /// The service is away, too slow, overloaded, or fails: it is to be left alone for a while.
    case sick(String)
    /// There is no credential for this user.
    case impossible
}

/// Why a page of a list can't be had, in words that hold nothing of the answer.
package struct ReadFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
