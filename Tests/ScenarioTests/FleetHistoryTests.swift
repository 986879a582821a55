import Foundation
import Synchronization
import TestSupport
import Testing

/// Random calls at all gateways at once, with everything going wrong in between, and every answer judged.
@Suite("fleet: history", .serialized, .timed, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct FleetHistoryTests {
    /// Seconds: 20, or what `TENANTGATE_FLEET_SECONDS` says.
    private static let seconds = ProcessInfo.processInfo.environment["TENANTGATE_FLEET_SECONDS"].flatMap { Double($0) } ?? 20

    @Test("no acknowledged suspension is lost, none that is in force is lifted by anything but a later reactivation, all end with one list")
    func random() throws {
        let stand = try FleetStand(users: 8)
        let history = FleetHistory()
        let isOver = Mutex(false)
        let threads = stand.gateways.indices.flatMap { number in
            [
                TestThread { callRandomly(stand, number, history) { isOver.withLock { $0 } } },
                TestThread { look(stand, number, history) { isOver.withLock { $0 } } },
            ]
        }
        let end = Date(timeIntervalSinceNow: Self.seconds)
        var round = 0
        while Date() < end {
            Thread.sleep(forTimeInterval: 2)
            try history.outage { try disturb(stand, round) }
            round += 1
        }
        // The last thing is a crash in the midst of a call: nobody comes after it who would settle what it left open.
        try history.outage {
            stand.jitsudo.process.pause()
            #expect(try stand.waitFor("tenantgate_suspend_calls_open", at: 0) { $0 > 0 })
            isOver.withLock { $0 = true }
            stand.kill(0)
            stand.jitsudo.process.resume()
            try stand.start(0)
        }
        for thread in threads { thread.wait() }
        #expect(try stand.waitUntilJoined())
        let lost = history.lost(within: 2)
        #expect(lost.isEmpty, "\(lost.prefix(5))")
        try expectOneList(stand, history)
        try settle(stand, history)
        print("fleet history: \(history.allCalls.count) calls, \(history.lookCount) looks, \(round) disturbances")
    }

    private func disturb(_ stand: FleetStand, _ round: Int) throws {
        switch round % 5 {
        case 0: try stand.postgres.cut()
        case 1:
            stand.postgres.kill()
            Thread.sleep(forTimeInterval: 0.5)
            try stand.postgres.start()
        case 2:
            stand.kill(round / 5 % 3)
            try stand.start(round / 5 % 3)
        case 3:
            stand.postgres.pause()
            Thread.sleep(forTimeInterval: 1)
            stand.postgres.goOn()
        default: break
        }
    }

    /// Callers don't wait for each other: calls for one user overlap at two gateways.
    private func callRandomly(_ stand: FleetStand, _ number: Int, _ history: FleetHistory, until isOver: () -> Bool) {
        var random = SeededRandom(seed: UInt64(number + 1))
        var client: WireClient?
        while !isOver() {
            if client == nil { client = try? stand.gateways[number].client() }
            let user = stand.users[Int(random.next() % UInt64(stand.users.count))]
            if !history.call(random.next() % 2 == 0, user, on: client, gateway: number) { client = nil }
            Thread.sleep(forTimeInterval: Double(random.next() % 40) / 1000)
        }
    }

    private func look(_ stand: FleetStand, _ number: Int, _ history: FleetHistory, until isOver: () -> Bool) {
        var random = SeededRandom(seed: UInt64(number + 100))
        var client: WireClient?
        while !isOver() {
            if client == nil { client = try? stand.gateways[number].client() }
            let user = stand.users[Int(random.next() % UInt64(stand.users.count))]
            if !history.look(user, on: client, gateway: number) { client = nil }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    /// Whoever was last suspended is suspended everywhere; whoever was last reactivated is the same everywhere, suspended only where calls
    /// overlapped.
    private func expectOneList(_ stand: FleetStand, _ history: FleetHistory) throws {
        for user in stand.users {
            let first = try stand.isBlocked(user, at: 0) == true
            #expect(try stand.waitUntil(user, isBlocked: first), "\(user)")
            if let last = history.lastWord(user), !last.active { #expect(first, "\(user), commit \(last.commit ?? 0)") }
        }
    }

    /// A call that is begun when everybody has heard of everything settles what was open, wherever it is made: the lists are the service's.
    private func settle(_ stand: FleetStand, _ history: FleetHistory) throws {
        #expect(try stand.waitUntilLevel())
        for (number, user) in stand.users.enumerated() {
            let isActive = number % 2 == 0
            #expect(try stand.setActive(isActive, user, at: 1 + number % 2).status == 200)
            #expect(try stand.waitUntil(user, isBlocked: !isActive), "\(user)")
        }
        for number in stand.gateways.indices {
            #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: number) { $0 == 0 })
            #expect(try stand.waitFor("tenantgate_unconfirmed_users", at: number) { $0 == 0 })
        }
    }
}
