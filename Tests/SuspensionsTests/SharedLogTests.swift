import Foundation
import Policy
import Synchronization
import TestSupport
import Testing

@testable import Suspensions

/// The shared log's own statements, against a real PostgreSQL: rows and gateways that others have left there.
@Suite("fleet: the shared log", .serialized, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct SharedLogTests {
    private let postgres: TestPostgres
    private let one = "00000000-0000-4000-8000-000000000001"
    private let two = "00000000-0000-4000-8000-000000000002"
    private let directories = [FleetDirectory(name: "rinne", idFormat: .string, tenantFormat: .string, reach: .directory)]

    init() throws { postgres = try TestPostgres() }

    private func enter(known: (log: String, epoch: Int64, applied: Int64) = ("", 0, 0)) throws -> (SharedLog, SharedLog.Entrance) {
        let log = SharedLog(link: try PostgresLink(database: postgres.uri, password: nil, patience: 10_000))
        return (log, try log.enter(directories, known: known))
    }

    private func row(
        _ number: Int64, userid: String = "'anna'", source: Int = 1, state: Int = 1, reason: String = "''", at: String = "0"
    ) throws {
        _ = try postgres.ask(
            """
            INSERT INTO tenantgate.entries VALUES (\(number), '\(two)', \(number), 0, 'rinne', NULL, \(userid), \(source), \(state), 1, '', '',
                \(reason), \(at), NULL)
            """)
    }

    @Test("whatever a row has, the ones after it are read; no text is longer than what gateways write")
    func rows() throws {
        let (log, entrance) = try enter()
        let first = entrance.number
        _ = try postgres.ask("UPDATE tenantgate.fleet SET number = number + 6")
        try row(first + 1, state: 7)
        try row(first + 2, source: 9)
        try row(first + 3, userid: "repeat('a', 3000000)")
        try row(first + 4, userid: "'bob'", reason: "repeat('ä', 3000000)")
        try row(first + 5, userid: "'carl'", at: "-9223372036854775808")
        try row(first + 6, userid: "'dora'", at: "9223372036854775807")
        try row(.max, userid: "'emil'")
        let batch = try log.read(after: first)
        #expect(batch.entries.map { String(decoding: $0.user, as: UTF8.self) } == ["anna", "bob", "carl", "dora"])
        #expect(batch.entries[0].head.state == .suspended)
        #expect(batch.entries[1].reason.count == Limits.ledgerText)
        #expect(batch.unreadable == [first + 2, first + 3])
        #expect(batch.last == first + 6, "none beyond the counter")
        #expect(try log.read(after: first + 6).last == nil)
        #expect(try log.stray() == .max)
        _ = try postgres.ask("DELETE FROM tenantgate.entries WHERE number = 9223372036854775807")
        #expect(try log.stray() == nil)
    }

    @Test("of two gateways that come first at once the second finds what the first has made")
    func firstAtOnce() throws {
        let first = SharedLog(link: try PostgresLink(database: postgres.uri, password: nil, patience: 10_000))
        try first.ask("BEGIN")
        try first.ask("SELECT pg_advisory_xact_lock(\(SharedLogSchema.lock))")
        let outcome = Mutex<Result<String, any Error>?>(nil)
        let second = TestThread {
            let result = Result { try enter().1.log }
            outcome.withLock { $0 = result }
        }
        while try postgres.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != "1",
            outcome.withLock({ $0 == nil })
        { usleep(1000) }
        try first.ask(SharedLogSchema.tables)
        try first.ask("COMMIT")
        second.wait()
        let log = try #require(outcome.withLock { $0 }).get()
        #expect(try postgres.ask("SELECT log FROM tenantgate.fleet") == log)
    }

    @Test("a ledger that is beyond the counter begins a new epoch, and goes on from it")
    func beyond() throws {
        let (_, entrance) = try enter()
        let (_, next) = try enter(known: (entrance.log, entrance.epochs.current, .max))
        #expect(next.epochs.current > entrance.epochs.current)
        #expect(next.number == next.epochs.all.last?.start)
    }

    @Test("nothing is published by who hasn't entered the epoch that the log is in, or the server that it is on")
    func lateWords() throws {
        let (log, entrance) = try enter()
        let word = FleetEntry(
            head: FleetHead(writer: one, local: 1, number: nil, base: 0, state: .suspended), directory: "rinne", tenant: nil,
            user: Array("anna".utf8), source: .upstream, learned: .call, actor: "", requestID: "", reason: "", at: 0, since: nil)
        let (_, next) = try enter(known: (entrance.log, entrance.epochs.current, .max))
        #expect(try log.publish([word], epoch: entrance.epochs.current, note: "") == nil)
        _ = try postgres.ask("UPDATE tenantgate.fleet SET incarnation = 'the one before'")
        #expect(try log.publish([word], epoch: next.epochs.current, note: "") == nil)
        #expect(try postgres.ask("SELECT count(*) FROM tenantgate.entries") == "0")
        let (_, last) = try enter(known: (entrance.log, next.epochs.current, 0))
        let number = try #require(try log.publish([word], epoch: last.epochs.current, note: "")?.first?.number)
        #expect(number > last.number)
        #expect(try log.publish([word], epoch: last.epochs.current, note: "")?.first?.number == number, "it is there once")
    }

    @Test("in a new epoch nobody is taken for confirmed until leases of the one before are over; in the first one at once")
    func epochs() throws {
        var (log, entrance) = try enter()
        try log.confirm(5, as: one, name: "g0", refuses: true, telling: false)
        #expect(try log.confirmedEverywhere() == 5)
        postgres.stop()
        try postgres.start()
        (log, entrance) = try enter(known: (entrance.log, entrance.epochs.current, 0))
        try log.confirm(7, as: one, name: "g0", refuses: true, telling: false)
        #expect(try log.confirmedEverywhere() == nil, "another one may still go by a lease that this database doesn't know of")
        _ = try postgres.ask("UPDATE tenantgate.epochs SET at = at - interval '\(Limits.fleetCountedMilliseconds) milliseconds'")
        #expect(try log.confirmedEverywhere() == 7)
        _ = try postgres.ask("DROP SCHEMA tenantgate CASCADE")
        (log, _) = try enter(known: (entrance.log, entrance.epochs.current, 0))
        try log.confirm(9, as: one, name: "g0", refuses: true, telling: false)
        #expect(try log.confirmedEverywhere() == nil, "there was a log before this one")
    }

    @Test("who is gone is waited for as long as it may serve, and for a day at most; its own runs before are known to be over")
    func gone() throws {
        let (log, _) = try enter()
        func lease(of writer: String, over interval: String) throws {
            _ = try postgres.ask(
                "UPDATE tenantgate.gateways SET until = clock_timestamp() - interval '\(interval)' WHERE writer = '\(writer)'")
        }
        try log.confirm(9, as: one, name: "g0", refuses: true, telling: false)
        try log.confirm(3, as: two, name: "g1", refuses: false, telling: false)
        #expect(try log.confirmedEverywhere() == 3)
        try lease(of: two, over: "1 hour")
        #expect(try log.confirmedEverywhere() == 3, "it may serve on")
        try lease(of: two, over: "25 hours")
        #expect(try log.confirmedEverywhere() == 9)
        try lease(of: two, over: "-1 second")
        try log.forgetGone([two])
        #expect(try log.confirmedEverywhere() == 3, "a run of a ledger that was copied, which is on")
        try lease(of: two, over: "1 second")
        try log.forgetGone([])
        #expect(try log.peers(one).count == 2)
        try log.forgetGone([two, one])
        #expect(try log.peers(one).map(\.name) == ["g0"])
        for until in ["infinity", "-infinity"] {
            _ = try postgres.ask("UPDATE tenantgate.gateways SET name = repeat('g', 9999), until = '\(until)'")
            #expect(try log.peers(one).first?.name.count == 256)
        }
    }
}
