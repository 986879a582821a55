import Policy
import Synchronization

@testable import Suspensions

/// A call machine with its surroundings turned by hand: time, a disk whose writes end when the test says, an index, and what callers were told.
struct MachineHarness {
    var machine: CallMachine
    let store: MemoryLedger
    /// Writes on their way, oldest first: the ledger takes them in this order.
    private(set) var writes: [(changes: [LedgerChange], write: CallMachine.Write)] = []
    private let held = HeldIndex()
    private(set) var beginnings: [Int64: [Beginning]] = [:]
    private(set) var conclusions: [Int64: [Conclusion]] = [:]
    /// When each was lifted last, in Unix milliseconds.
    private(set) var reactivations: [Subject: Int64] = [:]
    /// What operators were told.
    private(set) var hands: [Int64: [HandConclusion]] = [:]
    private(set) var drained: Int?
    private(set) var told: [Subject] = []
    /// Reads that are under way.
    private(set) var reads: [Subject: Int64] = [:]
    private(set) var applied: [FindingBatch] = []
    /// Seconds.
    var time: Int64 = 1000
    var lastNumber: Int64 = 0

    init(store: MemoryLedger = MemoryLedger(), bounds: CallerAllowances.Bounds = .init()) {
        self.store = store
        let held = held
        machine = CallMachine(
            bounds: bounds, unconfirmed: store.unconfirmedCalls(), standing: { held.index[$0]?.contains(.upstream) ?? false })
        held.index = store.current.blocks
    }

    private(set) var index: [Subject: BlockSources] {
        get { held.index }
        nonmutating set { held.index = newValue }
    }

    private var now: Moment { Moment(steady: time * 1_000_000_000, wall: time * 1000) }

    mutating func handle(_ event: CallMachine.Event) {
        for action in machine.handle(event, at: now) {
            switch action {
            case .write(let changes, let write): writes.append((changes, write))
            case .block(let subjects):
                for subject in subjects { index[subject, default: []].formUnion(.upstream) }
                told += subjects
            case .read(let subject, let number): reads[subject] = number
            case .applied(_, let batch): applied.append(batch)
            case .lift(let subject, let time):
                reactivations[subject] = time
                let left = (index[subject] ?? []).subtracting(.upstream)
                index[subject] = left.isEmpty ? nil : left
            case .begin(let number, let beginning): beginnings[number, default: []].append(beginning)
            case .conclude(let number, let conclusion): conclusions[number, default: []].append(conclusion)
            case .blockByHand(let subjects):
                for subject in subjects { index[subject, default: []].formUnion(.operator) }
                told += subjects
            case .liftByHand(let subject, let source, let time):
                reactivations[subject] = time
                let left = (index[subject] ?? []).subtracting(BlockSources(source))
                index[subject] = left.isEmpty ? nil : left
            case .concludeByHand(let number, let conclusion): hands[number, default: []].append(conclusion)
            case .drained(let open): drained = open
            }
        }
    }

    /// A call arrives; returns its number.
    @discardableResult
    mutating func arrive(_ subject: Subject, _ wanted: UserState = .suspended, by caller: String = "admin", blocksOnUnknown: Bool = false)
        -> Int64
    {
        lastNumber += 1
        let call = IntentCall(
            subject: subject, wanted: wanted, caller: Caller(caller), requestID: Array("r\(lastNumber)".utf8),
            suspendsOnUnknown: blocksOnUnknown)
        handle(.arrive(lastNumber, call))
        return lastNumber
    }

    mutating func finish(_ number: Int64, _ outcome: UpstreamOutcome) { handle(.finished(number, outcome)) }

    /// An operator blocks or lifts by hand; returns the change's number.
    @discardableResult
    mutating func byHand(_ subject: Subject, _ state: UserState, _ source: BlockSource = .operator, learned: Learned = .hand) -> Int64 {
        lastNumber += 1
        let outcome = Outcome(
            intent: nil, subject: subject, source: source, result: .state(state), learned: learned, actor: Array("ops".utf8), requestID: [],
            reason: "INC-1", at: time * 1000)
        handle(.byHand(lastNumber, [outcome]))
        return lastNumber
    }

    /// Users can be read from now on; a lost call may come late for so many seconds.
    mutating func canRead(late: Int64 = 60) { handle(.readable(late: [late, late])) }

    /// A read that is under way ends so.
    mutating func readEnds(_ subject: Subject, _ outcome: ReadOutcome) {
        guard let number = reads.removeValue(forKey: subject) else { return }
        handle(.read(subject, number, outcome))
    }

    /// A reconcile run has found this.
    mutating func find(_ findings: [(Subject, UserState)], since mark: Touches.Mark) {
        handle(.found(Int64(applied.count), findings.map { Finding(subject: $0.0, state: $0.1, mark: mark) }))
    }

    /// The oldest write ends.
    mutating func writeEnds(_ error: LedgerError? = nil) {
        let (changes, write) = writes.removeFirst()
        store.fail(with: error)
        var failure: LedgerError?
        do throws(LedgerError) { try store.commit(changes) } catch { failure = error }
        store.fail(with: nil)
        handle(.written(write, failure))
    }

    /// All writes end well, those too that follow from them.
    mutating func writesEnd() { while !writes.isEmpty { writeEnds() } }

    mutating func pass(seconds: Int64) {
        time += seconds
        handle(.tick)
    }

    mutating func see(_ subject: Subject, secondsAgo: Int64 = 0) {
        handle(.sighted(subject, Sighting(caller: Caller("reader"), requestID: [], asked: (time - secondsAgo) * 1_000_000_000)))
    }

    func isBlocked(_ subject: Subject) -> Bool { index[subject] != nil }
    var isDurable: Bool { store.current.blocks == index && reactivations.allSatisfy { store.current.reactivations[$0.key] == $0.value } }

    /// A call that goes through without trouble.
    mutating func confirm(_ subject: Subject, _ wanted: UserState) {
        let number = arrive(subject, wanted)
        writesEnd()
        finish(number, .confirmed)
        writesEnd()
    }
}

extension LedgerError {
    static let diskFull = LedgerError.writeFailed("database or disk is full")
}

/// The index, where the machine can ask it.
private final class HeldIndex: Sendable {
    private let held = Mutex<[Subject: BlockSources]>([:])

    var index: [Subject: BlockSources] {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
