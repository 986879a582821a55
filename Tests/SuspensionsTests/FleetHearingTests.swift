import Foundation
import GRDB
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// What entries of the shared log do here: in memory and in a real ledger.
@Suite("fleet: hearing")
struct FleetHearingTests {
    private let folder: LedgerFolder
    private let authority: SuspensionAuthority

    init() throws {
        folder = try LedgerFolder()
        authority = try joinedAuthority(folder)
    }

    @Test("who is reactivated and suspended again in one batch is suspended")
    func batch() throws {
        _ = try authority.hear([othersWord(1, base: 0, .suspended)], upTo: fleetStart + 1)
        #expect(authority.index.stands(.upstream, for: anna))
        _ = try authority.hear([othersWord(2, base: 1, .active), othersWord(3, base: 2, .suspended)], upTo: fleetStart + 3)
        #expect(authority.index.stands(.upstream, for: anna))
        _ = try authority.hear([othersWord(4, base: 3, .suspended), othersWord(5, base: 4, .active)], upTo: fleetStart + 5)
        #expect(!authority.index.stands(.upstream, for: anna))
    }

    @Test("whoever follows this gateway is told what others have said, as of everything else")
    func followed() throws {
        let follower = ListeningFollower()
        authority.lead(follower)
        _ = try authority.hear([othersWord(1, base: 0, .suspended)], upTo: fleetStart + 1)
        _ = try authority.hear([othersWord(2, base: 1, .active)], upTo: fleetStart + 2)
        #expect(follower.changes == [.block([anna], .upstream), .lift(anna, .upstream, at: wallHere)])
    }

    @Test(
        "a reactivation that was heard counts from when it was heard, however wrong the other machine's clock is; also after a restart",
        arguments: [-30 * 60_000, 3_600_000])
    func clocks(_ isAhead: Int64) throws {
        func isFresh(_ authority: SuspensionAuthority, from second: Int64) -> Bool {
            !authority.index.wasReactivated(since: second, anna.user, in: anna.directory, asking: .unknown)
        }
        _ = try authority.hear([othersWord(1, base: 0, .suspended, at: wallHere + isAhead)], upTo: fleetStart + 1)
        _ = try authority.hear([othersWord(2, base: 1, .active, at: wallHere + isAhead)], upTo: fleetStart + 2)
        #expect(!isFresh(authority, from: wallHere / 1000) && isFresh(authority, from: wallHere / 1000 + 1))
        authority.close()
        let again = try joinedAuthority(folder)
        #expect(!isFresh(again, from: wallHere / 1000) && isFresh(again, from: wallHere / 1000 + 1))
        again.close()
    }

    @Test("a block that was heard is listed since it was made, and logged when it was heard; the log's word goes on as it was said")
    func times() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let other = try joinedAuthority(ledger)
        _ = try other.hear([othersWord(1, base: 0, .suspended, at: 7000)], upTo: fleetStart + 1)
        #expect(try ledger.blocks(BlockQuery(limit: 10)).blocks.map(\.since) == [7000])
        #expect(try ledger.log(.before(nil), limit: 10).entries.map(\.at) == [wallHere])
        let epochs = FleetEpochs([FleetEpochs.Epoch(number: 1, after: 0), FleetEpochs.Epoch(number: 2, after: fleetStart)])
        _ = try other.step { transaction, scopes in try transaction.join(log: "log", epochs: epochs, scopes) }
        #expect(try other.step { transaction, scopes in try transaction.unsent(10, scopes) }.map(\.at) == [7000])
        other.close()
    }

    @Test("the ledger keeps what was heard, its log explains it, and a restart has the same list")
    func durable() throws {
        let words = [othersWord(1, base: 0, .suspended), othersWord(2, base: 0, .suspended, directory: "elsewhere")]
        _ = try authority.hear(words, upTo: fleetStart + 2)
        authority.close()
        let ledger = try folder.open()
        #expect(try ledger.verify() == 1)
        #expect(ledger.fleet.isJoined)
        #expect(ledger.fleet.appliedAtStart == fleetStart + 2)
        let again = try SuspensionAuthority(store: ledger, reaches: [.tenant, .directory], onBlock: { _ in })
        #expect(again.index.stands(.upstream, for: anna))
        again.close()
    }

    @Test("an own word that comes back behind a newer one changes nothing, and settles nothing")
    func overtaken() throws {
        confirmCall(.suspended, at: authority)
        let first = try unsent()
        confirmCall(.active, at: authority)
        #expect(try authority.hear([numbered(first[0], 1)], upTo: fleetStart + 1) == 0)
        #expect(!authority.index.stands(.upstream, for: anna) && authority.contestedUsers == 0)
        #expect(try unsent().map(\.head.state) == [.active])
        #expect(try authority.hear([numbered(unsent()[0], 2)], upTo: fleetStart + 2) == 0)
        let count = try authority.step { transaction, _ in
            try Int.fetchOne(transaction.db, sql: "SELECT count(*) FROM fleet_heads")
        }
        #expect(count == 1, "published, it is all that there is to know")
    }

    @Test("what an unpublished word has overtaken is not said again to a database that has lost it", arguments: ["log", "another"])
    func overtakenAndLost(log: String) throws {
        _ = try authority.hear([othersWord(1, base: 0, .suspended)], upTo: fleetStart + 1)
        confirmCall(.active, at: authority)
        let epochs = FleetEpochs([FleetEpochs.Epoch(number: 1, after: 0), FleetEpochs.Epoch(number: 2, after: fleetStart)])
        _ = try authority.step { transaction, scopes in try transaction.join(log: log, epochs: epochs, scopes) }
        #expect(try unsent().map(\.head.state) == [.active])
        #expect(!authority.index.stands(.upstream, for: anna))
        // Whoever said it says it again: nobody knows any more which came last.
        var again = othersWord(1, base: 0, .suspended)
        again.head.number = epochs.all[1].start + 1
        #expect(try authority.hear([again], upTo: epochs.all[1].start + 1) == 1)
        #expect(authority.index.stands(.upstream, for: anna) && authority.contestedUsers == 1)
    }

    private func unsent() throws -> [FleetEntry] {
        try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }
    }

    private func numbered(_ entry: FleetEntry, _ number: Int64) -> FleetEntry {
        var entry = entry
        entry.head.number = fleetStart + number
        return entry
    }

    @Test("a database that has lost its tail is told again what is known here, and nothing is lifted")
    func lost() throws {
        _ = try authority.hear([othersWord(1, base: 0, .suspended)], upTo: fleetStart + 1)
        let epochs = FleetEpochs([FleetEpochs.Epoch(number: 1, after: 0), FleetEpochs.Epoch(number: 2, after: fleetStart)])
        let position = try authority.step { transaction, scopes in try transaction.join(log: "log", epochs: epochs, scopes) }
        #expect(position.applied == fleetStart)
        #expect(position.isBehindUs)
        let unsent = try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }
        #expect(unsent.map(\.head) == [FleetHead(writer: "other", local: 1, number: nil, base: fleetStart, state: .suspended)])
        #expect(authority.index.stands(.upstream, for: anna))
    }
}

/// A gateway before this one, of which only what it is told counts.
private final class ListeningFollower: SuspensionFollower {
    private let told = Mutex<[SuspensionChange]>([])
    var changes: [SuspensionChange] { told.withLock { $0 } }

    func changed(_ change: SuspensionChange) { told.withLock { $0.append(change) } }
    func whenFollowed(_ next: @escaping @Sendable () -> Void) { next() }
}
