import GRDB
import Policy

/// What the fleet asks of the ledger, each a step among everything else that is written. `apply` is the ledger's way in.
extension LedgerTransaction {
    /// What the ledger knows of a shared log.
    struct Position: Sendable, Equatable {
        /// The last number that is in force here; nil of it is lost.
        var applied: Int64
        /// Whether the database had lost something that is known here, or is another one.
        var isBehindUs: Bool
    }

    /// Joins the shared log `log`, or goes on with it: finds out what of it is still there, and marks what it has lost to be said again. No
    /// number beyond `last` is one of its own. Writes only what is other than before: a full disk doesn't keep anybody out.
    mutating func join(log: String, epochs: FleetEpochs, last: Int64 = .max, _ scopes: LedgerScopes) throws -> Position {
        try FleetTables.make(db)
        let row = try Row.fetchOne(db, sql: "SELECT log, epoch, applied FROM fleet")!
        var position = Position(applied: row["applied"], isBehindUs: false)
        if row["log"] as String != log {
            // Numbers of another log mean nothing here.
            position = Position(applied: 0, isBehindUs: row["log"] as String != "")
            try forgetOvertaken()
            try run("UPDATE fleet_heads SET number = NULL, base = 0", [])
            try run("UPDATE fleet_losses SET number = NULL", [])
        } else if row["epoch"] as Int64 != epochs.current {
            position.applied = min(epochs.cap(position.applied), last)
            position.isBehindUs = position.applied != row["applied"]
            try forget(beyond: epochs, last)
        }
        try loseWhatStood()
        if try addDirectories(scopes) { position.applied = 0 }
        shared.epochs = epochs
        shared.joins = true
        let new: StatementArguments = [log, epochs.current, position.applied]
        if new != [row["log"] as String, row["epoch"] as Int64, row["applied"] as Int64] {
            try run("UPDATE fleet SET log = ?, epoch = ?, applied = ?", new)
        }
        return position
    }

    /// Notes this run, so that the next one knows it to be over. Of too many, those go of which no word is left.
    func noteRun() throws {
        try noteWriter()
        guard try Int.fetchOne(db, sql: "SELECT count(*) FROM fleet_runs")! > Limits.fleetRuns else { return }
        try run("DELETE FROM fleet_runs WHERE writer <> ? AND writer NOT IN (SELECT writer FROM fleet_heads)", [fleet.writer])
    }

    func noteWriter() throws { try run("INSERT OR IGNORE INTO fleet_runs VALUES (?)", [fleet.writer]) }

    /// Words that the log has lost get new numbers when they are said again, and know only of what it still has: nothing that was written
    /// since may be taken for older than they.
    private func forget(beyond epochs: FleetEpochs, _ last: Int64) throws {
        db.add(
            function: DatabaseFunction("fleet_cap", argumentCount: 1, pure: true) { values in
                Int64.fromDatabaseValue(values[0]).map { min(epochs.cap($0), last) }
            })
        try forgetOvertaken("AND head.number <> fleet_cap(head.number)")
        try run("UPDATE fleet_heads SET number = NULL WHERE number <> fleet_cap(number)", [])
        try run("UPDATE fleet_heads SET base = fleet_cap(base) WHERE base <> fleet_cap(base)", [])
        try run("UPDATE fleet_losses SET number = NULL WHERE number <> fleet_cap(number)", [])
    }

    /// Words that have lost their numbers must not come back to life where one of ours that was never published has come after them:
    /// whoever else knows them says them again.
    private func forgetOvertaken(_ condition: String = "") throws {
        try run(
            """
            DELETE FROM fleet_heads AS head WHERE number IS NOT NULL \(condition) AND EXISTS (
                SELECT 1 FROM fleet_heads AS word
                WHERE word.scope = head.scope AND word.user = head.user AND word.source = head.source AND word.number IS NULL
                    AND (head.number <= word.base OR (word.writer = head.writer AND word.local > head.local)))
            """, [])
    }

    /// Whether there are directories whose entries were passed over until now.
    private func addDirectories(_ scopes: LedgerScopes) throws -> Bool {
        let known = Set(try String.fetchAll(db, sql: "SELECT name FROM fleet_directories"))
        let new = scopes.directories.map(\.name).filter { !known.contains($0) }
        for name in new { try run("INSERT INTO fleet_directories VALUES (?)", [name]) }
        return !new.isEmpty
    }

    /// Where saying what stood has come to.
    struct Stood: Sendable {
        let (scope, user, source): (Int64, DatabaseValue, Int64)
    }

    /// Says blocks from before the fleet was joined, so many at once, since a ledger may have millions. They know of nothing that others
    /// have said. From the first time on words are kept. Nil where it has been done.
    mutating func sayWhatStood(after last: Stood?, _ limit: Int) throws -> Stood? {
        try FleetTables.make(db)
        shared.joins = true
        guard try String.fetchOne(db, sql: "SELECT log FROM fleet") == "" else { return nil }
        let place = "(scope, user, source) > (?, ?, ?) ORDER BY scope, user, source LIMIT"
        let after: StatementArguments = [last?.scope ?? 0, last?.user ?? 0.databaseValue, last?.source ?? 0]
        let end = try Row.fetchOne(
            db, sql: "SELECT scope, user, source FROM (SELECT * FROM blocks WHERE \(place) ?) ORDER BY scope DESC, user DESC, source DESC",
            arguments: after + [limit])
        guard let end else { return nil }
        let local = try Int64.fetchOne(db, sql: "SELECT local FROM fleet")!
        try run(
            """
            INSERT INTO fleet_heads
            SELECT scope, user, source, ?, ? + row_number() OVER (), NULL, 0, \(UserState.suspended.rawValue), learned, '', '',
                coalesce(reason, ''), at, at
            FROM (SELECT * FROM blocks WHERE \(place) ?) AS block WHERE NOT EXISTS (
                SELECT 1 FROM fleet_heads AS known
                WHERE known.scope = block.scope AND known.user = block.user AND known.source = block.source)
            """, [fleet.writer, local] + after + [limit])
        try takeLocals(db.changesCount)
        return Stood(scope: end["scope"], user: end["user"], source: end["source"])
    }

    // MARK: publishing

    /// Words that the shared log doesn't have yet, in the order in which they were said, and calls that were lost: at most half of them, so
    /// that neither waits for millions of the others.
    mutating func unsent(_ limit: Int, _ scopes: LedgerScopes) throws -> [FleetEntry] {
        let losses = try untoldLosses(limit / 2)
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM fleet_heads WHERE number IS NULL ORDER BY local LIMIT ?", arguments: [limit - losses.count])
        (shared.asked, shared.said) = (losses.count < limit / 2 && losses.count + rows.count < limit, [])
        return try rows.compactMap { row in
            guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]),
                let source = BlockSource(rawValue: row["source"]), let state = UserState(rawValue: row["state"])
            else { return nil }
            return FleetEntry(
                head: FleetHead(writer: row["writer"], local: row["local"], number: nil, base: row["base"], state: state),
                directory: scopes.name(place.directory), tenant: place.tenant?.canonical, user: user.canonical, source: source,
                learned: Learned(rawValue: row["learned"]) ?? .fleet, actor: row["actor"], requestID: row["request"], reason: row["reason"],
                at: row["at"], since: row["since"])
        } + losses
    }

    func unsentCount() throws -> Int {
        try ["fleet_heads", "fleet_losses"].reduce(0) { count, table in
            try count + Int.fetchOne(db, sql: "SELECT count(*) FROM \(table) WHERE number IS NULL")!
        }
    }

    /// Users whose upstream's words differ.
    func contested(_ scopes: LedgerScopes, limit: Int) throws -> Set<Subject> {
        let rows = try Row.fetchAll(
            db, sql: "SELECT scope, user FROM fleet_contests WHERE source = ? LIMIT ?", arguments: [BlockSource.upstream.rawValue, limit])
        return Set(
            try rows.compactMap { row in
                guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]) else { return nil }
                return Subject(directory: place.directory, tenant: place.tenant, user: UserID(user))
            })
    }

    /// Whether a source's block stands, in the ledger.
    func stands(_ source: BlockSource, for subject: Subject, _ scopes: inout LedgerScopes) throws -> Bool {
        try isBlocked(try number(subject, &scopes), LedgerScopes.value(subject.user.id), source) == .suspended
    }
}

extension LedgerTransaction {
    /// An outcome with its intent's place in the shared log, which a crash has left in the ledger alone.
    func based(_ outcome: Outcome) throws -> Outcome {
        guard isJoined, outcome.base == nil, let intent = outcome.intent else { return outcome }
        var outcome = outcome
        outcome.base = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT base FROM fleet_intents WHERE id = ?"), arguments: [intent])
        return outcome
    }

    func noteBase(of intent: Intent) throws {
        guard isJoined, let base = intent.base else { return }
        try run("INSERT OR REPLACE INTO fleet_intents VALUES (?, ?)", [intent.number, base])
    }

    func forgetBase(of intent: Int64) throws {
        if isJoined { try run("DELETE FROM fleet_intents WHERE id = ?", [intent]) }
    }

    /// Which shared log the ledger follows, in which epoch, and how far; none yet where the log has no name.
    func known() throws -> (log: String, epoch: Int64, applied: Int64) {
        guard try FleetTables.exist(db) else { return ("", 0, 0) }
        let row = try Row.fetchOne(db, sql: "SELECT log, epoch, applied FROM fleet")!
        return (row["log"], row["epoch"], row["applied"])
    }
}
