import Foundation
import GRDB
package import Policy

/// Which blocks a listing is about; nil takes all.
package struct BlockQuery: Sendable {
    package var directory: DirectoryIndex?
    /// Several, where a tenant was named without its directory: then nobody knows in which format its id is.
    package var tenants: [FormattedID]?
    /// The id as it was asked for, in the format of each directory that has such an id.
    package var user: [UInt8]?
    package var source: BlockSource?
    /// Only what comes behind.
    package var after: BlockPosition?
    /// Blocks at most.
    package var limit: Int

    package init(limit: Int) { self.limit = limit }
}

/// A place in the order of blocks: by directory and tenant as the ledger numbers them, then by user and source. As text it is a cursor.
package struct BlockPosition: Sendable, Equatable {
    let scope: Int64
    /// Nil: before the scope's first user.
    let user: FormattedID?
    let source: UInt8

    init(scope: Int64, user: FormattedID? = nil, source: UInt8 = 0) {
        self.scope = scope
        self.user = user
        self.source = source
    }

    /// Digits, a dot, a digit, a dot, `u` or `s` and the id in hex; nothing else is one.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let scope = Int64(parts[0]), scope >= 0, String(scope) == parts[0], let source = UInt8(parts[1]), source < 8
        else { return nil }
        (self.scope, self.source) = (scope, source)
        guard !parts[2].isEmpty else {
            user = nil
            return
        }
        guard let bytes = hexBytes(parts[2].dropFirst()) else { return nil }
        switch parts[2].first {
        case "u":
            guard bytes.count == 16 else { return nil }
            let words = [bytes.prefix(8), bytes.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            user = .uuid(UUIDBits(high: words[0], low: words[1]))
        case "s":
            guard let id = FormattedID(bytes.span, format: .string) else { return nil }
            user = id
        default: return nil
        }
    }

    package var text: String {
        let id: String
        switch user {
        case nil: id = ""
        case .uuid(let bits): id = "u" + String(decoding: bits.bytes.filter { $0 != UInt8(ascii: "-") }, as: UTF8.self)
        case .string(let bytes): id = "s" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        return "\(scope).\(source).\(id)"
    }
}

private func hexBytes(_ text: Substring) -> [UInt8]? {
    let digits = text.utf8.map(hexDigit)
    guard digits.count % 2 == 0, digits.count <= 2 * Limits.idBytes, !digits.contains(nil) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
}

/// A page of a listing. `next` is where the next one begins; a page may be empty and not be the last, since only so much is looked at.
package struct BlockPage: Sendable {
    package var blocks: [StandingBlock] = []
    package var next: BlockPosition?

    package init() {}
}

extension SQLiteLedger {
    /// One page; looks at `Limits.ledgerScan` rows and tenants at most. On the ledger's thread.
    package func blocks(_ query: BlockQuery) throws(LedgerError) -> BlockPage {
        let scopes = scopes.withLock { $0 }
        let asked = scopes.numbers(directory: query.directory, tenants: query.tenants, from: query.after?.scope ?? 0)
        return try reading { db in
            var page = BlockPage()
            var looked = 0
            for scope in asked {
                let position = query.after?.scope == scope ? query.after : nil
                let room = Limits.ledgerScan - looked
                guard room > 0 else {
                    page.next = page.next ?? BlockPosition(scope: scope)
                    return page
                }
                looked += 1
                let rows = try self.rows(db, query, scope: scope, place: scopes.place(scope), after: position, limit: room)
                for row in rows {
                    looked += 1
                    let block = try self.block(row, scope: scope, scopes)
                    if query.source == nil || query.source == block.standing.source { page.blocks.append(block.standing) }
                    guard page.blocks.count < query.limit, looked < Limits.ledgerScan else {
                        page.next = BlockPosition(scope: scope, user: block.user, source: block.standing.source.rawValue)
                        return page
                    }
                }
            }
            return page
        }
    }

    private func rows(
        _ db: Database, _ query: BlockQuery, scope: Int64, place: LedgerScopes.Place?, after: BlockPosition?, limit: Int
    ) throws -> [Row] {
        let columns = "SELECT user, source, learned, at, reason, \(contest) FROM blocks WHERE scope = ?"
        let end = " ORDER BY user, source LIMIT ?"
        if let wanted = query.user {
            guard let place, let user = UserID(wanted.span, format: directories[place.directory].idFormat) else { return [] }
            // A cursor of another listing means nothing here, and does no harm.
            let source = after?.user == user.id ? Int64(after?.source ?? 0) : 0
            return try Row.fetchAll(
                db.cachedStatement(sql: columns + " AND user = ? AND source > ?" + end),
                arguments: [scope, LedgerScopes.value(user.id), source, limit])
        }
        guard let after, let user = after.user else {
            return try Row.fetchAll(db.cachedStatement(sql: columns + end), arguments: [scope, limit])
        }
        return try Row.fetchAll(
            db.cachedStatement(sql: columns + " AND (user, source) > (?, ?)" + end),
            arguments: [scope, LedgerScopes.value(user), Int64(after.source), limit])
    }

    private func block(_ row: Row, scope: Int64, _ scopes: LedgerScopes) throws -> (standing: StandingBlock, user: FormattedID) {
        guard let place = scopes.place(scope), let user = try LedgerScopes.id(row["user"]),
            let source = BlockSource(rawValue: row["source"]),
            let learned = Learned(rawValue: row["learned"])
        else { throw LedgerError.damaged(path: path, "a block can't be read") }
        let named = NamedUser(directory: scopes.name(place.directory), tenant: place.tenant?.canonical, user: user.canonical)
        let subject = Subject(directory: place.directory, tenant: place.tenant, user: UserID(user))
        return (
            StandingBlock(
                subject: subject, user: named, source: source, learned: learned, since: row["at"], reason: row["reason"],
                isContested: row["contested"]), user
        )
    }
}
