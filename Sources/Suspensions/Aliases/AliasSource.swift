package import Policy

/// Whose an alias is, where nobody here knows: asked at the service with the directory's service credential.
///
/// Asked from any thread; every completion comes at most once, on any thread.
package protocol AliasSource: Sendable {
    /// Asks whose `alias` is, in this tenant where suspensions are a tenant's.
    func search(
        _ alias: UserAlias, directory: DirectoryIndex, tenant: FormattedID?, then: @escaping @Sendable (AliasFinding) -> Void)
    /// Reads a user anew, which teaches his aliases before it is answered.
    func readAnew(_ subject: Subject, then: @escaping @Sendable (AliasReread) -> Void)
}

/// What reading a user anew came to.
package enum AliasReread: Sendable, Equatable {
    /// The service has answered about him.
    case read
    /// The service doesn't know him any more.
    case absent
    /// It can't be asked now, or its answer can't be read.
    case failed
    /// There is no way to ask: no credential that may.
    case impossible
}

/// What a search came to.
package enum AliasFinding: Sendable, Equatable {
    /// The service has answered; it is as the readings say.
    case readings([AliasReading])
    /// It can't be asked now, or its answer can't be read.
    case failed
    /// There is no way to ask: no credential, no search in the dialect.
    case impossible
}

/// Whom a token means: asked by the request path, answered by `AliasBook`.
package final class AliasQuestion: Sendable {
    package let alias: UserAlias
    package let directory: DirectoryIndex
    /// Nil where suspensions reach all tenants.
    package let tenant: FormattedID?
    package let key: AliasKey

    init(_ alias: UserAlias, directory: DirectoryIndex, tenant: FormattedID?, key: AliasKey) {
        self.alias = alias
        self.directory = directory
        self.tenant = tenant
        self.key = key
    }

    var scope: AliasTable.Scope { AliasTable.Scope(directory: directory, tenant: tenant, kind: alias.rule.kind) }
}

/// Who it is.
package enum AliasVerdict: Sendable, Equatable {
    case user(UserID)
    /// Two users have it at once.
    case contested
    /// The service knows nobody by it, or can't be asked by it.
    case nobody
    /// The service can't be asked now, or too many are asking.
    case unavailable

    package var isUser: Bool { if case .user = self { true } else { false } }
}

/// A verdict, as of which of the book's changes it holds, and for how many seconds it may be remembered.
package struct AliasAnswer: Sendable {
    package let verdict: AliasVerdict
    package let generation: Int
    package let seconds: Int64

    package init(verdict: AliasVerdict, generation: Int, seconds: Int64 = Limits.rememberedAliasSeconds) {
        self.verdict = verdict
        self.generation = generation
        self.seconds = seconds
    }
}
