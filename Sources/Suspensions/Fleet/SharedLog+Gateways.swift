import Policy

/// What notifications say.
enum FleetNote {
    static let entries = "tenantgate"
    static let applied = "tenantgate_applied"
    /// Somebody waits for everybody's confirmation.
    static let all = "all"
    static let probe = "probe "
}

/// News, leases and confirmations.
extension SharedLog {
    func listen() throws(FleetTrouble) {
        try ask("LISTEN \(FleetNote.entries)")
        try ask("LISTEN \(FleetNote.applied)")
    }

    /// Whether notifications come through that another connection sends while this one asks nothing: not where a pooler hands the server's
    /// connection to somebody else after each transaction.
    func hears(_ other: SharedLog, as writer: String, stirrer: Stirrer) throws(FleetTrouble) -> Bool {
        try other.ask("SELECT pg_notify('\(FleetNote.entries)', $1)", [FleetNote.probe + writer])
        let deadline = PostgresLink.now() + 1000
        while PostgresLink.now() < deadline {
            let news = try news(within: deadline - PostgresLink.now(), stirredBy: stirrer.descriptor)
            stirrer.settle()
            if news.contains(FleetNote.probe + writer) { return true }
        }
        return false
    }

    /// The notes of notifications, as soon as there is one.
    func news(within milliseconds: Int64, stirredBy stirrer: CInt) throws(FleetTrouble) -> [String] {
        do throws(PostgresError) {
            return try link.notifications(within: milliseconds, stirredBy: stirrer).map(\.payload)
        } catch {
            throw FleetTrouble(error.description, .away)
        }
    }

    /// Says what is in force at this gateway, and has its peers count on it.
    func confirm(_ applied: Int64, as writer: String, name: String, refuses: Bool, telling: Bool) throws(FleetTrouble) {
        try ask(
            """
            WITH told AS (
                INSERT INTO tenantgate.gateways AS known
                VALUES ($1::uuid, $2, $3::bigint, clock_timestamp() + interval '\(Limits.fleetCountedMilliseconds) milliseconds', $4::boolean)
                ON CONFLICT (writer) DO UPDATE SET applied = excluded.applied, until = excluded.until, refuses = excluded.refuses
                RETURNING 1)
            SELECT \(telling ? "pg_notify('\(FleetNote.applied)', '')" : "1") FROM told
            """, [writer, name, "\(applied)", "\(refuses)"])
    }

    /// Gateways that have ended without a goodbye are kept for a day. Not this one's own `runs` before: their ledger is in use here, so they
    /// are over; those whose lease is not are left, for a ledger may have been copied.
    func forgetGone(_ runs: [String]) throws(FleetTrouble) {
        try ask(
            """
            DELETE FROM tenantgate.gateways
            WHERE until < clock_timestamp() - interval '1 day' OR until < clock_timestamp() AND writer::text = ANY($1::text[])
            """, ["{\(runs.joined(separator: ","))}"])
    }

    /// The last number that every gateway has in force that is counted on; nil while there is none. One that goes on serving without a
    /// lease is counted on until it says goodbye, or for a day.
    ///
    /// Nil in a new epoch, too, until leases of the one before are over everywhere: this database may not know of them.
    func confirmedEverywhere() throws(FleetTrouble) -> Int64? {
        let row = try ask(
            """
            SELECT min(applied) FROM tenantgate.gateways
            WHERE until > clock_timestamp() OR NOT refuses AND until > clock_timestamp() - interval '1 day'
            HAVING NOT EXISTS (
                SELECT 1 FROM tenantgate.epochs
                WHERE at > clock_timestamp() - interval '\(Limits.fleetCountedMilliseconds) milliseconds')
            """
        ).first
        return row?[0].flatMap { Int64($0) }
    }

    func leave(_ writer: String) throws(FleetTrouble) {
        try ask("DELETE FROM tenantgate.gateways WHERE writer = $1::uuid", [writer])
    }

    /// Everybody who has not said goodbye, by name.
    func peers(_ writer: String) throws(FleetTrouble) -> [FleetPeer] {
        let rows = try ask(
            """
            SELECT left(name, 256), writer = $1::uuid, until > clock_timestamp(),
                (extract(epoch FROM clock_timestamp() - least(greatest(until, 'epoch'), clock_timestamp() + interval '1 day')) * 1000
                    + \(Limits.fleetCountedMilliseconds))::bigint,
                (SELECT count(*) FROM (
                    SELECT 1 FROM tenantgate.entries WHERE number > gateways.applied LIMIT \(Limits.fleetBehindCounted)) AS entries)
            FROM tenantgate.gateways ORDER BY name, writer LIMIT \(Limits.fleetMembers)
            """, [writer])
        return rows.map { row in
            FleetPeer(
                name: row[0] ?? "", isThis: row[1] == "t", isLive: row[2] == "t", seenMilliseconds: max(0, Int64(row[3] ?? "") ?? 0),
                behind: Int(row[4] ?? "") ?? 0)
        }
    }

    /// Takes out what nobody needs any more, and returns how much: entries that are a month old and that another entry, as old, has
    /// replaced by knowing of them. That one stays, or is replaced in the same way by one that knew of both; so whoever reads the log
    /// comes to the same list, and no standing block is ever lost. Whether others are cutting: nothing.
    func cut() throws(FleetTrouble) -> Int {
        try ask("SET statement_timeout = \(Limits.fleetCutPatienceMilliseconds); SET work_mem = '64MB'")
        let mayCut = try ask("SELECT pg_try_advisory_lock(\(SharedLogSchema.cutting))").first?[0] == "t"
        guard mayCut else { return 0 }
        let old = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint - \(Limits.fleetKeptDays)::bigint * 86400000"
        let row = try ask(
            """
            WITH known AS (
                SELECT directory, tenant, userid, source, max(base) AS base FROM tenantgate.entries WHERE at < \(old)
                GROUP BY directory, tenant, userid, source),
            gone AS (
                DELETE FROM tenantgate.entries AS entry USING known
                WHERE entry.at < \(old) AND entry.number <= known.base AND entry.directory = known.directory
                    AND entry.tenant IS NOT DISTINCT FROM known.tenant AND entry.userid = known.userid AND entry.source = known.source
                RETURNING 1)
            SELECT count(*) FROM gone
            """
        ).first
        return row?[0].flatMap { Int($0) } ?? 0
    }
}
