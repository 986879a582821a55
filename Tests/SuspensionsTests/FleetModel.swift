import Policy

@testable import Suspensions

/// Two gateways, one user, a service and a shared log, small enough to look at every state that they can come to: the protocol of suspend
/// calls (`CallMachine`'s phases), an operator's lift, reads of contested users, and the fleet's words (`FleetHeads`, `FleetEpochs`, the
/// real ones).
///
/// Every step that the code takes at once is a step here, and between any two of them anything else may happen: the other gateway's steps,
/// a service that carries out a call late, a crash, a database that loses its tail. What a gateway has to write waits in its line and is
/// written in order, like the ledger's.
struct FleetModel: Hashable {
    enum Step: Hashable {
        case begin(Int, UserState)
        case hear(Int)
        case publish(Int)
        case loseOutbox(Int)
        case write(Int)
        case tick(Int)
        case crash(Int)
        case liftByHand(Int)
        case beginRead(Int)
        case answerRead(Int)
        case takeRead(Int)
        case carryOut(call: Int)
        case confirm(call: Int)
        case lose(call: Int)
        case loseTail(keeping: Int)
    }

    /// Where a call is. The service may carry it out at any time after it was forwarded, also when nobody waits for it any more.
    enum Phase: Hashable { case forwarded, confirmed, concluded, lost }

    struct Call: Hashable {
        let gateway: Int
        let wanted: UserState
        let base: Int64
        var phase = Phase.forwarded
        /// The service's commit; nil while it hasn't carried it out.
        var commit: Int?
        /// What was known at its gateway when it began.
        let past: Set<Int>
    }

    /// What is on its way to a gateway's ledger.
    enum Write: Hashable {
        case outcome(call: Int)
        /// An operator's lift. It leaves memory alone where something here has blocked the user since it was made: then it doesn't count.
        case lift(base: Int64, past: Set<Int>, counts: Bool)
        /// What a read has shown. It holds the user's turn.
        case read(UserState, base: Int64, past: Set<Int>, covers: Set<Int>)
    }

    struct Gateway: Hashable {
        // The ledger: survives a crash.
        var heads = FleetHeads()
        var applied: Int64 = 0
        var local: Int64 = 0
        var epoch: Int64 = 1
        /// Acknowledged or heard suspensions, by their calls: what must not be forgotten. Of a word that says suspended, also what its
        /// gateway knew of when it said so: the word has taken the place of theirs.
        var known: Set<Int> = []
        // Memory.
        var run = 1
        var isBlocked = false
        var writes: [Write] = []
        /// Own words that others have replaced in the ledger before they were published. They may be on their way to the shared log.
        var replaced: [FleetHead] = []
        /// A remote lift that came while a call was on its way.
        var waits = false
        var read: Read?
    }

    /// The user is being read with the service credential.
    struct Read: Hashable {
        /// What the service said, and the suspensions that it had carried out before.
        var answer: UserState?
        var covers: Set<Int> = []
        /// Something happened to the user meanwhile: the answer is not taken.
        var isTouched = false
    }

    struct Entry: Hashable {
        let number: Int64
        let head: FleetHead
    }

    /// What a gateway has said, by its place among what it said.
    struct Word: Hashable {
        let writer: String
        let local: Int64

        init(_ head: FleetHead) { (writer, local) = (head.writer, head.local) }
    }

    var gateways = [Gateway(), Gateway()]
    var calls: [Call] = []
    var log: [Entry] = []
    var epochs = [FleetEpochs.Epoch(number: 1, after: 0)].map { [$0.number, $0.after] }
    var service = UserState.active
    var commits = 0
    var crashes = 0
    var losses = 0
    var lifts = 0
    var reads = 0
    /// Of which suspensions whoever hears a word that says suspended knows.
    var pasts: [Word: Set<Int>] = [:]
    /// Suspensions that an operator has lifted who knew of them, or that a read has shown to be over.
    var over: Set<Int> = []

    /// How much may happen.
    struct Bounds {
        var calls = 3, crashes = 0, losses = 0, lifts = 0, reads = 0
        /// The first two calls are a suspension and a reactivation that overlapped, acknowledged already.
        var overlapped = false
    }

    /// In whichever order the service has carried them out.
    static func starts(_ bounds: Bounds) -> [FleetModel] {
        guard bounds.overlapped else { return [FleetModel()] }
        return [[0, 1], [1, 0]].map { order in
            var model = FleetModel()
            var steps: [Step] = [.begin(0, .suspended), .begin(1, .active)]
            for call in order { steps += [.carryOut(call: call), .confirm(call: call), .write(call)] }
            for step in steps { model.take(step) }
            return model
        }
    }

    /// What may happen next, and what has changed by it.
    func next(_ bounds: Bounds) -> [(step: Step, state: FleetModel)] {
        var steps: [Step] = []
        for gateway in gateways.indices {
            if !isTurnTaken(at: gateway), calls.count < bounds.calls {
                steps += [.begin(gateway, .suspended), .begin(gateway, .active)]
            }
            steps += [.hear(gateway), .publish(gateway), .loseOutbox(gateway), .write(gateway), .tick(gateway)]
            if crashes < bounds.crashes { steps.append(.crash(gateway)) }
            if lifts < bounds.lifts { steps.append(.liftByHand(gateway)) }
            if reads < bounds.reads { steps.append(.beginRead(gateway)) }
            if bounds.reads > 0 { steps += [.answerRead(gateway), .takeRead(gateway)] }
        }
        for call in calls.indices { steps += [.carryOut(call: call), .confirm(call: call), .lose(call: call)] }
        if losses < bounds.losses { steps += log.indices.map { .loseTail(keeping: $0) } }
        return steps.compactMap { step in
            var copy = self
            copy.take(step)
            return copy == self ? nil : (step, copy)
        }
    }

    private mutating func take(_ step: Step) {
        switch step {
        case .begin(let gateway, let wanted): begin(gateway, wanted)
        case .hear(let gateway): hear(gateway)
        case .publish(let gateway): publish(gateway)
        case .loseOutbox(let gateway): gateways[gateway].replaced = []
        case .write(let gateway): write(gateway)
        case .tick(let gateway): tick(gateway)
        case .crash(let gateway): crash(gateway)
        case .liftByHand(let gateway): liftByHand(gateway)
        case .beginRead(let gateway): beginRead(gateway)
        case .answerRead(let gateway): answerRead(gateway)
        case .takeRead(let gateway): takeRead(gateway)
        case .carryOut(let call): carryOut(call)
        case .confirm(let call): confirm(call)
        case .lose(let call): lose(call)
        case .loseTail(let count): loseTail(keeping: count)
        }
    }
}
