import Foundation
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
        #expect(follower.changes == [.block([anna], .upstream), .lift(anna, .upstream, at: 1002)])
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
