import Dispatch
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// An operator's lift that waits for the ledger while another gateway's word is being put in force.
@Suite("fleet: a lift by hand that another gateway's word overtakes")
struct FleetLiftTests {
    private let folder: LedgerFolder
    private let thread = HeldThread()
    private let authority: SuspensionAuthority

    init() throws {
        folder = try LedgerFolder()
        authority = try joinedAuthority(folder, surroundings: thread.surroundings)
    }

    @Test(
        "the lift holds where it settles what the other said; of a suspension that it didn't know of the user stays blocked",
        arguments: [UserState.active, .suspended])
    func overtaken(by state: UserState) throws {
        confirmCall(.suspended, at: authority)
        thread.hold()
        let heard = DispatchSemaphore(value: 0)
        DispatchQueue.global().async { [authority] in
            #expect(throws: Never.self) { try authority.hear([othersWord(1, base: 0, state)], upTo: fleetStart + 1) }
            heard.signal()
        }
        // The word's transaction has begun, and its block is about to be in memory.
        thread.isReached.wait()
        guard case .record(let lift) = outcome(anna, .state(.active), learned: .hand) else { return }
        let conclusion = awaited { (answer: @escaping @Sendable (HandConclusion) -> Void) in
            authority.byHand([lift], then: answer)
            // The lift waits for the ledger behind the word.
            awaited { done in thread.surroundings.run { done(()) } }
            thread.goOn.signal()
        }
        heard.wait()
        #expect(conclusion == .done)
        #expect(authority.index.stands(.upstream, for: anna) == (state == .suspended))
        #expect(authority.contestedUsers == (state == .suspended ? 1 : 0))
        let stands = try authority.step { transaction, scopes in try transaction.stands(.upstream, for: anna, &scopes) }
        #expect(stands == (state == .suspended), "memory is what the ledger is")
    }
}

/// An authority's thread that keeps whoever hands it work next waiting.
private final class HeldThread: Sendable {
    private let queue = DispatchQueue(label: "held")
    private let isHeld = Mutex(false)
    let isReached = DispatchSemaphore(value: 0)
    let goOn = DispatchSemaphore(value: 0)

    func hold() { isHeld.withLock { $0 = true } }

    var surroundings: AuthoritySurroundings {
        var surroundings = AuthoritySurroundings.live()
        surroundings.run = { [self] work in
            let holds = isHeld.withLock { isHeld in
                defer { isHeld = false }
                return isHeld
            }
            if holds {
                isReached.signal()
                goOn.wait()
            }
            queue.async(execute: work)
        }
        surroundings.everyTick = { _ in }
        return surroundings
    }
}
