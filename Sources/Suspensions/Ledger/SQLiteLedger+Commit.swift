import Foundation
import GRDB
import Policy

extension SQLiteLedger {
    package func commit(_ changes: [LedgerChange]) throws(LedgerError) {
        guard !changes.isEmpty else { return }
        var rest = changes[...]
        try commit { rest.popFirst() }
    }

    /// One transaction of all the changes that come: for imports, which don't fit in memory. Nothing is in force if `next` throws.
    func commit(_ next: () throws -> LedgerChange?) throws(LedgerError) {
        do {
            try scopes.withLock { known in
                // A scope that a failed transaction made is not there: work on a copy until the commit has come back.
                var scopes = known
                let changes = try database.write { db in
                    var writing = LedgerTransaction(db, chain: chain, fleet: fleet)
                    while let change = try next() { try writing.apply(change, &scopes) }
                    try writing.finish()
                    return writing.shared
                }
                known = scopes
                fleet.take(changes)
            }
        } catch {
            throw LedgerError(error, path: path, writing: true)
        }
    }

    package func recover(at time: Int64) throws(LedgerError) {
        do {
            let pending = try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM intents ORDER BY id") }
            let lost = try scopes.withLock { scopes in try pending.map { try Self.lost($0, scopes, at: time) } }
            // In groups, since a crash of a busy gateway leaves as many as were open.
            for start in stride(from: 0, to: lost.count, by: Limits.ledgerGroup) {
                try commit(lost[start..<min(start + Limits.ledgerGroup, lost.count)].map { .record($0) })
            }
        } catch {
            throw LedgerError(error, path: path, writing: true)
        }
    }

    private static func lost(_ row: Row, _ scopes: LedgerScopes, at time: Int64) throws -> Outcome {
        guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]),
            let wanted = UserState(rawValue: row["wanted"])
        else { throw LedgerError.readFailed("intent \(row["id"] as Int64) can't be read") }
        return Outcome(
            intent: row["id"], subject: Subject(directory: place.directory, tenant: place.tenant, user: UserID(user)), source: .upstream,
            result: .unknown(wanted: wanted, blocks: wanted == .suspended && row["blocks_on_unknown"] as Bool), learned: .crash,
            actor: Array((row["caller"] as String).utf8), requestID: Array((row["request"] as String).utf8),
            reason: "the gateway stopped in between", at: time)
    }
}

/// One transaction in the making: the rows of each change, and the log's next links.
struct LedgerTransaction {
    let db: Database
    let fleet: FleetLedger
    /// What it changes of what memory knows of the fleet.
    var shared = FleetChanges()
    private let chain: LogChain
    private var head: (number: Int64, hash: [UInt8])?

    init(_ db: Database, chain: LogChain, fleet: FleetLedger) {
        self.db = db
        self.chain = chain
        self.fleet = fleet
    }

    mutating func apply(_ change: LedgerChange, _ scopes: inout LedgerScopes) throws {
        switch change {
        case .intend(let intent): try intend(intent, scope: try number(intent.subject, &scopes))
        case .forget(let intent): try forget(intent)
        case .probe: try run("UPDATE head SET number = number", [])
        case .record(let outcome): try record(outcome, scope: try number(outcome.subject, &scopes), scopes)
        case .filling(let directory, let isDone):
            try run("INSERT OR REPLACE INTO fillings VALUES (?, ?)", [scopes.row(of: directory), isDone])
        case .fleet(let step): try step.body(&self, &scopes)
        case .alias(let row):
            try row.keep(db, scope: try scopes.number(of: LedgerScopes.Place(directory: row.directory, tenant: row.tenant), db))
        }
    }

    /// Keeps the log's new end where its last entry alone can't be taken away unseen.
    func finish() throws {
        guard let head else { return }
        try run("UPDATE head SET number = ?, hash = ?", [head.number, Data(head.hash)])
    }

    func number(_ subject: Subject, _ scopes: inout LedgerScopes) throws -> Int64 {
        try scopes.number(of: LedgerScopes.Place(directory: subject.directory, tenant: subject.tenant), db)
    }

    private func intend(_ intent: Intent, scope: Int64) throws {
        try run(
            "INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                intent.number, scope, LedgerScopes.value(intent.subject.user.id), intent.wanted.rawValue, text(intent.caller),
                text(intent.requestID), intent.suspendsOnUnknown, intent.at,
            ])
        try noteBase(of: intent)
    }

    private func forget(_ intent: Int64) throws {
        try run("DELETE FROM intents WHERE id = ?", [intent])
        try forgetBase(of: intent)
    }

    private mutating func record(_ outcome: Outcome, scope: Int64, _ scopes: LedgerScopes) throws {
        let user = LedgerScopes.value(outcome.subject.user.id)
        let outcome = try based(outcome)
        if let intent = outcome.intent { try forget(intent) }
        let was = try isBlocked(scope, user, outcome.source)
        var becomes = was
        switch outcome.result {
        case .state(let state): becomes = try say(outcome, state, scope: scope, user: user, scopes)
        // The block stays as it was: others need not hear of it.
        case .seen: break
        case .unknown(let wanted, let blocks):
            if blocks { becomes = try say(outcome, .suspended, scope: scope, user: user, scopes) }
            try run(
                "INSERT OR REPLACE INTO unconfirmed VALUES (?, ?, ?, ?, ?, ?, ?)",
                [scope, user, wanted.rawValue, text(outcome.actor), text(outcome.requestID), text(outcome.reason), outcome.at])
            try lose(outcome, scope: scope, user: user)
        }
        if outcome.isReactivation(of: was), becomes == .active { try reactivate(outcome, scope: scope, user: user) }
        if outcome.settlesUnconfirmed { try settle(scope: scope, user: user) }
        try showContest(outcome, scope: scope, user: user)
        if outcome.changesBlock { try keep(becomes, outcome, scope: scope, user: user) }
        try append(outcome, scope: scope, user: user, from: was, to: becomes, scopes)
    }

    /// Together with the state, so that no restart finds a user lifted and not when.
    func reactivate(_ outcome: Outcome, scope: Int64, user: DatabaseValue) throws {
        try run(
            "INSERT INTO reactivations VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", [scope, user, outcome.at])
    }

    func isBlocked(_ scope: Int64, _ user: DatabaseValue, _ source: BlockSource) throws -> UserState {
        let statement = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM blocks WHERE scope = ? AND user = ? AND source = ?)")
        return try Bool.fetchOne(statement, arguments: [scope, user, source.rawValue])! ? .suspended : .active
    }

    /// A block that stands already keeps the time since when, and how it was learned where the news is that nobody knows.
    func keep(_ state: UserState, _ outcome: Outcome, scope: Int64, user: DatabaseValue) throws {
        switch state {
        case .active: try run("DELETE FROM blocks WHERE scope = ? AND user = ? AND source = ?", [scope, user, outcome.source.rawValue])
        case .suspended:
            try run(
                """
                INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET
                    learned = iif(excluded.learned IN (\(LedgerSchema.unknown)), learned, excluded.learned),
                    reason = coalesce(excluded.reason, reason)
                """,
                [
                    scope, user, outcome.source.rawValue, outcome.learned.rawValue, outcome.since ?? outcome.at,
                    outcome.reason.isEmpty ? nil : text(outcome.reason),
                ])
        }
    }

    mutating func append(
        _ outcome: Outcome, scope: Int64, user: DatabaseValue, from: UserState, to: UserState, _ scopes: LedgerScopes
    ) throws {
        let last = try head ?? readHead()
        let entry = LogEntry(
            number: last.number + 1, at: outcome.at, directory: scopes.name(outcome.subject.directory),
            tenant: outcome.subject.tenant?.canonical, user: outcome.subject.user.id.canonical, source: outcome.source, from: from, to: to,
            learned: outcome.learned, actor: Array(text(outcome.actor).utf8), requestID: Array(text(outcome.requestID).utf8),
            reason: text(outcome.reason))
        let hash = chain.hash(entry, after: last.hash)
        try run(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.number, entry.at, scope, user, entry.source.rawValue, from.rawValue, to.rawValue, entry.learned.rawValue,
                text(outcome.actor), text(outcome.requestID), entry.reason, Data(hash),
            ])
        head = (entry.number, hash)
    }

    private func readHead() throws -> (number: Int64, hash: [UInt8]) {
        let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT number, hash FROM head"))!
        return (row["number"], Array(row["hash"] as Data))
    }

    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func text(_ bytes: [UInt8]) -> String { text(String(decoding: bytes, as: UTF8.self)) }

    /// Bounded, and without NUL, at which SQLite's text would end.
    func text(_ text: String) -> String {
        var bytes = text.utf8.prefix(Limits.ledgerText).map { $0 == 0 ? UInt8(ascii: " ") : $0 }
        while let last = bytes.last, last >= 0x80, String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
