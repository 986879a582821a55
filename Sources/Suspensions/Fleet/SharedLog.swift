import Policy

/// The shared log over one connection: what a gateway asks of it. Blocks for as long as the link's patience.
struct SharedLog {
    let link: PostgresLink

    /// How it is entered: what it is, and which numbers are still in it.
    struct Entrance: Sendable {
        let log: String
        let epochs: FleetEpochs
        /// The last number.
        let number: Int64
    }

    // MARK: entering

    /// Makes sure of session, tables, directories and epoch. `known` is the last epoch that the ledger has seen of which log, and its last
    /// number.
    func enter(_ directories: [FleetDirectory], known: (log: String, epoch: Int64, applied: Int64)) throws(FleetTrouble) -> Entrance {
        try prepare()
        try agree(on: directories)
        return try begin(known: known)
    }

    /// For a connection that only publishes.
    func prepareSession() throws(FleetTrouble) {
        try ask("SET statement_timeout = 4000; SET lock_timeout = 4000; SET idle_in_transaction_session_timeout = 10000")
    }

    private func prepare() throws(FleetTrouble) {
        try prepareSession()
        let encoding = try ask("SHOW server_encoding").first?.first ?? nil
        guard encoding == "UTF8" else {
            throw FleetTrouble("its encoding is \(encoding ?? "unknown"), ids need UTF8: make it with ENCODING 'UTF8'", .refused)
        }
        if try !hasTables() { try makeTables() }
        let row = try ask("SELECT version, oldest FROM tenantgate.fleet").first
        guard let version = row?[0].flatMap({ Int($0) }), let oldest = row?[1].flatMap({ Int($0) }) else {
            throw FleetTrouble("its table tenantgate.fleet is empty: restore it, or drop the schema tenantgate", .refused)
        }
        guard oldest <= SharedLogSchema.version else {
            let known = SharedLogSchema.version
            throw FleetTrouble("its tables are of version \(version), this program knows \(known): run a newer one", .refused)
        }
    }

    /// Looked up in the catalogue itself: what `to_regclass` remembers within a transaction may be from before somebody made them.
    private func hasTables() throws(FleetTrouble) -> Bool {
        try ask("SELECT 1 FROM pg_tables WHERE schemaname = 'tenantgate' AND tablename = 'fleet'").first != nil
    }

    private func makeTables() throws(FleetTrouble) {
        try transaction { () throws(FleetTrouble) in
            try ask("SELECT pg_advisory_xact_lock(\(SharedLogSchema.lock))")
            guard try !hasTables() else { return }
            try ask(SharedLogSchema.tables)
        }
    }

    private func agree(on directories: [FleetDirectory]) throws(FleetTrouble) {
        for directory in directories {
            try ask(
                "INSERT INTO tenantgate.directories VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                [directory.name, directory.idFormat.rawValue, directory.tenantFormat.rawValue, directory.reach.rawValue])
            let row = try ask("SELECT id_format, tenant_format, reach FROM tenantgate.directories WHERE name = $1", [directory.name]).first
            let mine = [directory.idFormat.rawValue, directory.tenantFormat.rawValue, directory.reach.rawValue]
            guard let row, row.compactMap({ $0 }) == mine else {
                let theirs = row?.compactMap { $0 }.joined(separator: ", ") ?? "nothing"
                throw FleetTrouble(
                    "the fleet's directory \(directory.name) has other formats or reach (\(theirs)) than this file (\(mine.joined(separator: ", ")))",
                    .refused)
            }
        }
    }

    /// A database that was started since it was last seen begins a new epoch, before anybody can write into it.
    private func begin(known: (log: String, epoch: Int64, applied: Int64)) throws(FleetTrouble) -> Entrance {
        try transaction { () throws(FleetTrouble) -> Entrance in
            let row = try ask(
                "SELECT log, epoch, number, incarnation = \(SharedLogSchema.incarnation) FROM tenantgate.fleet FOR UPDATE"
            ).first
            guard let row, let log = row[0], let epoch = Int64(row[1] ?? ""), var number = Int64(row[2] ?? "") else {
                throw FleetTrouble("its table tenantgate.fleet can't be read", .refused)
            }
            let isOurs = known.log == log
            // Something was taken out of it while it ran: nothing of what is known here can be relied on to be in it.
            let hasShrunk = isOurs && (known.epoch > epoch || known.epoch == epoch && known.applied > number)
            if row[3] != "t" || hasShrunk {
                let after = hasShrunk && row[3] == "t" ? 0 : number
                let next = try ask(
                    """
                    SELECT greatest($1::bigint + 1, $2::bigint + 1, extract(epoch FROM clock_timestamp())::bigint - \(FleetEpochs.origin))
                    """, ["\(epoch)", "\(isOurs ? known.epoch : 0)"]
                ).first?[0].flatMap { Int64($0) }
                guard let next else { throw FleetTrouble("it doesn't tell the time", .refused) }
                number = next << FleetEpochs.digits
                // Who was in force in the epoch before may still go by its lease; in the first one nobody was.
                let isFirst = epoch == 0 && known.log.isEmpty
                try ask(
                    "INSERT INTO tenantgate.epochs VALUES ($1, $2, \(isFirst ? "'-infinity'" : "clock_timestamp()"))",
                    ["\(next)", "\(after)"])
                try ask(
                    "UPDATE tenantgate.fleet SET epoch = $1, number = $2, incarnation = \(SharedLogSchema.incarnation)",
                    ["\(next)", "\(number)"])
            }
            let epochs = try ask("SELECT epoch, after FROM tenantgate.epochs ORDER BY epoch").compactMap { row in
                Int64(row[0] ?? "").flatMap { epoch in Int64(row[1] ?? "").map { FleetEpochs.Epoch(number: epoch, after: $0) } }
            }
            return Entrance(log: log, epochs: FleetEpochs(epochs), number: number)
        }
    }

    // MARK: writing and reading

    /// Appends words, each once, and returns them with their numbers; `note` goes to everybody who listens. Nil where the database is in another epoch: it has to be entered anew.
    func publish(_ entries: [FleetEntry], epoch: Int64, note: String) throws(FleetTrouble) -> [FleetHead]? {
        var parameters: [String?] = ["\(entries.count)", "\(epoch)", note]
        var rows: [String] = []
        for (index, entry) in entries.enumerated() {
            let columns = entry.columns(at: index)
            let places = columns.enumerated().map { "$\(parameters.count + $0.offset + 1)" + $0.element.type }
            rows.append("(\(places.joined(separator: ", ")))")
            parameters += columns.map(\.value)
        }
        let numbers = try ask(
            """
            WITH taken AS (
                UPDATE tenantgate.fleet SET number = number + $1::bigint
                WHERE epoch = $2::bigint AND incarnation = \(SharedLogSchema.incarnation) RETURNING number - $1::bigint AS before),
            new (place, writer, local, base, directory, tenant, userid, source, state, learned, actor, request, reason, at, since) AS (
                VALUES \(rows.joined(separator: ", "))),
            put AS (
                INSERT INTO tenantgate.entries
                SELECT before + place, writer, local, base, directory, tenant, userid, source, state, learned, actor, request, reason, at,
                    since
                FROM new, taken ON CONFLICT (writer, local) DO NOTHING RETURNING number, writer, local),
            told AS (SELECT pg_notify('tenantgate', $3) FROM taken)
            SELECT put.number, put.writer, put.local, taken.before FROM taken CROSS JOIN told LEFT JOIN put ON true
            """, parameters)
        guard !numbers.isEmpty else { return nil }
        var sent = try heads(of: entries, in: numbers)
        if sent.count < entries.count { sent = try heads(of: entries, in: written(entries)) }
        return sent
    }

    /// The rows of words that were there already: published by somebody who did not hear of it, or said again by several.
    private func written(_ entries: [FleetEntry]) throws(FleetTrouble) -> [PostgresLink.Row] {
        let pairs = (0..<entries.count).map { "($\(2 * $0 + 1)::uuid, $\(2 * $0 + 2)::bigint)" }.joined(separator: ", ")
        return try ask(
            "SELECT number, writer, local FROM tenantgate.entries WHERE (writer, local) IN (\(pairs))",
            entries.flatMap { [$0.head.writer, "\($0.head.local)"] })
    }

    private func heads(of entries: [FleetEntry], in rows: [PostgresLink.Row]) throws(FleetTrouble) -> [FleetHead] {
        var numbers: [String: Int64] = [:]
        for row in rows {
            guard let number = row[0].flatMap({ Int64($0) }), let writer = row[1], let local = row[2] else { continue }
            numbers["\(writer)/\(local)"] = number
        }
        return entries.compactMap { entry in
            var head = entry.head
            guard let number = numbers["\(head.writer)/\(head.local)"] else { return nil }
            head.number = number
            return head
        }
    }

    /// What follows in the log.
    struct Batch {
        var entries: [FleetEntry] = []
        /// Rows that nobody could have written who takes part: nobody can say whom they are about.
        var unreadable: [Int64] = []
        /// The last row's number; nil for the end.
        var last: Int64?
    }

    /// Entries after `number`, in order; as many as a step in the ledger takes. None beyond the counter is anybody's. No row is longer than
    /// what gateways write, whatever the table has; ids that are have nobody to be about.
    func read(after number: Int64) throws(FleetTrouble) -> Batch {
        let (id, text) = (Limits.fleetIDBytes, Limits.ledgerText)
        let rows = try ask(
            """
            SELECT number, writer, local, base, left(directory, \(id)), left(tenant, \(id)),
                CASE WHEN greatest(octet_length(directory), octet_length(tenant), octet_length(userid)) <= \(id) THEN userid END,
                source, state, learned, left(actor, \(text)), left(request, \(text)), left(reason, \(text)), at, since
            FROM tenantgate.entries WHERE number > $1 AND number <= (SELECT number FROM tenantgate.fleet)
            ORDER BY number LIMIT \(Limits.fleetBatch)
            """, ["\(number)"])
        var batch = Batch()
        for row in rows {
            guard let number = row[0].flatMap({ Int64($0) }) else { continue }
            batch.last = number
            if let entry = FleetEntry(row) { batch.entries.append(entry) } else { batch.unreadable.append(number) }
        }
        return batch
    }

    /// The number of a row that is beyond the counter, and so is nobody's; nil where there is none.
    func stray() throws(FleetTrouble) -> Int64? {
        let row = try ask(
            "SELECT max(number) FROM tenantgate.entries HAVING max(number) > (SELECT number FROM tenantgate.fleet)"
        ).first
        return row?[0].flatMap { Int64($0) }
    }

    // MARK: asking

    func transaction<Result>(_ body: () throws(FleetTrouble) -> Result) throws(FleetTrouble) -> Result {
        try ask("BEGIN")
        do throws(FleetTrouble) {
            let result = try body()
            try ask("COMMIT")
            return result
        } catch {
            _ = try? link.ask("ROLLBACK")
            throw error
        }
    }

    @discardableResult
    func ask(_ statement: String, _ parameters: [String?] = []) throws(FleetTrouble) -> [PostgresLink.Row] {
        do throws(PostgresError) {
            return try link.ask(statement, parameters)
        } catch {
            throw FleetTrouble(error.description, .away)
        }
    }
}

/// What keeps the fleet from being one.
struct FleetTrouble: Error, Equatable {
    enum Kind: Equatable {
        /// It may be better the next time.
        case away
        /// Somebody has to change something.
        case refused
        /// The database is well, this gateway's ledger isn't.
        case ledger
    }

    let words: String
    let kind: Kind

    init(_ words: String, _ kind: Kind) {
        self.words = words
        self.kind = kind
    }
}
