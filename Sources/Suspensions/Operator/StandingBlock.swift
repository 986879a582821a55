import Foundation
import GRDB
import Policy

/// A block as a person reads it.
package struct StandingBlock: Sendable, Equatable {
    package let subject: Subject
    package let user: NamedUser
    package let source: BlockSource
    package let learned: Learned
    /// Milliseconds since 1970.
    package let since: Int64
    package let reason: String?
    /// Another gateway of the fleet has lifted it, or this one has, when neither had heard of the other: it stands until that is settled.
    package var isContested = false
}

/// The ledger by names.
extension SQLiteLedger {
    /// Every block, ordered by directory, tenant and user; a user with two sources comes twice, the upstream's first.
    package func forEachStandingBlock(_ body: (StandingBlock) throws -> Void) throws {
        let scopes = scopes.withLock { $0 }
        try database.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT scope, user, source, learned, at, reason, \(contest) FROM blocks ORDER BY scope, user, source")
            while let row = try rows.next() {
                guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]),
                    let source = BlockSource(rawValue: row["source"]), let learned = Learned(rawValue: row["learned"])
                else { throw LedgerError.damaged(path: path, "a block can't be read") }
                try body(
                    StandingBlock(
                        subject: Subject(directory: place.directory, tenant: place.tenant, user: UserID(user)),
                        user: NamedUser(
                            directory: scopes.name(place.directory), tenant: place.tenant?.canonical, user: user.canonical),
                        source: source, learned: learned, since: row["at"], reason: row["reason"], isContested: row["contested"]))
            }
        }
    }

    /// The column that says whether words of several gateways about a block differ.
    var contest: String {
        guard fleet.isJoined else { return "0 AS contested" }
        return """
            EXISTS (SELECT 1 FROM fleet_contests AS contest WHERE contest.scope = blocks.scope AND contest.user = blocks.user
            AND contest.source = blocks.source) AS contested
            """
    }

    /// The sources of a subject about which words of several gateways differ.
    func contested(_ subject: Subject) throws(LedgerError) -> BlockSources {
        let place = LedgerScopes.Place(directory: subject.directory, tenant: subject.tenant)
        guard fleet.isJoined, let scope = scopes.withLock({ $0.known(place) }) else { return [] }
        return try reading { db in
            let user = LedgerScopes.value(subject.user.id)
            let sources = try UInt8.fetchAll(
                db, sql: "SELECT source FROM fleet_contests WHERE scope = ? AND user = ?", arguments: [scope, user])
            return sources.reduce(into: []) { $0.formUnion(BlockSources(rawValue: $1)) }
        }
    }

    /// Which sources stand for a subject, and whether a call for it is unconfirmed.
    func standing(_ subject: Subject) throws(LedgerError) -> (sources: BlockSources, isUnconfirmed: Bool) {
        let place = LedgerScopes.Place(directory: subject.directory, tenant: subject.tenant)
        let known = scopes.withLock { $0.known(place) }
        guard let scope = known else { return ([], false) }
        return try reading { db in
            let user = LedgerScopes.value(subject.user.id)
            let sources = try UInt8.fetchAll(db, sql: "SELECT source FROM blocks WHERE scope = ? AND user = ?", arguments: [scope, user])
            let isUnconfirmed = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM unconfirmed WHERE scope = ? AND user = ?)", arguments: [scope, user])!
            return (sources.reduce(into: []) { $0.formUnion(BlockSources(rawValue: $1)) }, isUnconfirmed)
        }
    }

    /// Users come in no order, so every row of a large import touches another page: without room for most of the table each page would
    /// be written to the -wal again and again.
    func withImportCache(_ body: () throws -> Void) throws {
        let size = try database.inDatabase { try Int.fetchOne($0, sql: "PRAGMA cache_size") } ?? -2000
        try database.inDatabase { try $0.execute(sql: "PRAGMA cache_size = -\(Limits.importCache / 1024)") }
        defer { try? database.inDatabase { try $0.execute(sql: "PRAGMA cache_size = \(size)") } }
        try body()
    }

    /// The subject that a person means, its ids read in the directory's formats.
    func subject(_ named: NamedUser) throws(OperatorError) -> Subject {
        let directories = directories
        guard let index = directories.firstIndex(where: { $0.name.utf8.elementsEqual(named.directory.utf8) }) else {
            throw .unknownDirectory(named.directory, known: directories.map(\.name))
        }
        guard let user = UserID(named.user.span, format: directories[index].idFormat) else {
            throw .notAUser(named, directories[index].idFormat)
        }
        var tenant: FormattedID?
        if let bytes = named.tenant {
            guard let id = TenantID(bytes.span, format: directories[index].tenantFormat) else {
                throw .notATenant(named, directories[index].tenantFormat)
            }
            tenant = id.id
        }
        return Subject(directory: index, tenant: tenant, user: user)
    }

    /// A subject by its names.
    func named(_ subject: Subject) -> NamedUser {
        NamedUser(
            directory: directories[subject.directory].name, tenant: subject.tenant?.canonical, user: subject.user.id.canonical)
    }
}
