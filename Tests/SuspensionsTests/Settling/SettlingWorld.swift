import Policy
import Synchronization

@testable import Suspensions

/// One gateway, one user, one service.
struct SettlingWorld {
    enum Step: Equatable {
        case arrive(UserState)
        case writeEnds(fails: Bool)
        /// The service does what a call asks.
        case commit(Int64)
        case answer(Int64)
        case lose(Int64)
        case refuse(Int64)
        /// A lost call is carried out after all, or never.
        case lateCommit(UserState)
        case never(UserState)
        /// The service looks at the user for a read.
        case look
        case readEnds
        case readFails
        /// So much time that no lost call can come any more, and every read is due.
        case pass
        /// An operator blocks, or lifts whatever stands and settles what is open.
        case block
        case lift
        case crash(isWritten: Bool)
    }

    private struct Hand: Hashable {
        let blocks: Bool
        /// Of a lift: what it takes away and nothing has blocked since.
        var lifted: BlockSources
    }

    private struct Out: Hashable {
        let wanted: UserState
        var isDone = false
    }

    /// The index as the machine asks it: set before each event, since the worlds of a run share it.
    private final class Index: Sendable {
        let blocks = Mutex<BlockSources>([])
    }

    private let index = Index()

    private var machine: CallMachine
    private var ledger = MemoryLedger.Contents()
    private var blocks: BlockSources = []
    private var writes: [(changes: [LedgerChange], write: CallMachine.Write)] = []
    /// Forwarded, and not answered.
    private var out: [Int64: Out] = [:]
    /// Lost, and perhaps still to come.
    private var late: [UserState] = []
    private var service = UserState.active
    private var read: (number: Int64, seen: UserState?)?
    private var time: Int64 = 1
    private var number: Int64 = 0
    private var budget: SettlingModelTests.Budget

    // What the invariants are about.
    private var acknowledged = false
    /// The read under way was asked for before the last acknowledged suspension was, or before an operator's lift was done.
    private var readIsOld = false
    private var hasCrashed = false
    /// Operators' changes that are being written, and which sources they leave blocked or not, as far as nothing has happened since.
    private var hands: [Int64: Hand] = [:]
    /// An operator's block that was done, and that no operator has lifted or is lifting.
    private var handAcknowledged = false
    /// The operator has lifted what the service may go on saying, and no call was made since.
    private var isExcused = false
    private(set) var fault: String?
    private var trail: [Step] = []

    /// How it came to this.
    var story: String { trail.map { "\($0)".split(separator: ".").last.map(String.init) ?? "" }.joined(separator: ", ") }

    init(_ budget: SettlingModelTests.Budget) {
        self.budget = budget
        machine = Self.machine([], index)
        handle(.readable(late: [1, 1]))
    }

    private static func machine(_ unconfirmed: [UnconfirmedCall], _ index: Index) -> CallMachine {
        CallMachine(bounds: .init(), unconfirmed: unconfirmed) { _ in index.blocks.withLock { $0.contains(.upstream) } }
    }

    // MARK: what can happen

    var steps: [Step] {
        var steps: [Step] = []
        if budget.calls > 0, machine.open < 2 { steps += [.arrive(.suspended), .arrive(.active)] }
        if !writes.isEmpty {
            steps += budget.failures > 0 ? [.writeEnds(fails: false), .writeEnds(fails: true)] : [.writeEnds(fails: false)]
        }
        for (call, state) in out.sorted(by: { $0.key < $1.key }) {
            if state.isDone { steps.append(.answer(call)) } else { steps += [.commit(call), .refuse(call)] }
            steps.append(.lose(call))
        }
        for wanted in Set(late) { steps += [.lateCommit(wanted), .never(wanted)] }
        if let read { steps.append(read.seen == nil ? .look : .readEnds) }
        if read != nil, budget.failures > 0 { steps.append(.readFails) }
        if writes.isEmpty, out.isEmpty, late.isEmpty, read == nil, machine.open == 0, machine.book[anna] != nil || !machine.debts.isEmpty {
            steps.append(.pass)
        }
        if budget.hands > 0 {
            if !blocks.contains(.operator) || hands.values.contains(where: { !$0.blocks }) { steps.append(.block) }
            if !blocks.isEmpty || machine.lost[anna] != nil { steps.append(.lift) }
        }
        if budget.crashes > 0 {
            steps += writes.isEmpty ? [.crash(isWritten: false)] : [.crash(isWritten: false), .crash(isWritten: true)]
        }
        return steps
    }

    mutating func take(_ step: Step) {
        trail.append(step)
        let before = blocks
        switch step {
        case .arrive(let wanted): arrive(wanted)
        case .writeEnds(let fails): endWrite(fails)
        case .commit(let call):
            service = out[call]!.wanted
            out[call]!.isDone = true
        case .answer(let call): finish(call, .confirmed)
        case .lose(let call):
            if !out[call]!.isDone { late.append(out[call]!.wanted) }
            finish(call, .unconfirmed(cause: "lost"))
        case .refuse(let call): finish(call, .refused(status: 403))
        case .lateCommit(let wanted):
            late.remove(at: late.firstIndex(of: wanted)!)
            service = wanted
        case .never(let wanted): late.remove(at: late.firstIndex(of: wanted)!)
        case .look: read?.seen = service
        case .readEnds:
            let (answer, isOld) = (read!, readIsOld)
            read = nil
            let before = writes.count
            handle(.read(anna, answer.number, .state(answer.seen!)))
            if isOld, writes.count > before { fault = "an older read taught something" }
        case .readFails:
            budget.failures -= 1
            let number = read!.number
            read = nil
            handle(.read(anna, number, .sick("away")))
        case .pass:
            time += 1000
            handle(.tick)
        case .block: changeByHand([.operator], .suspended)
        case .lift:
            let standing = BlockSource.allCases.filter { blocks.contains(BlockSources($0)) }
            changeByHand(standing.isEmpty ? [.upstream] : standing, .active)
        case .crash(let isWritten): crash(isWritten)
        }
        check(step, before)
    }

    private mutating func changeByHand(_ sources: [BlockSource], _ state: UserState) {
        budget.hands -= 1
        number += 1
        if state == .active {
            handAcknowledged = false
            if sources.contains(.upstream) { (acknowledged, isExcused) = (false, true) }
        }
        let lifted = state == .active ? BlockSources(sources.map { BlockSources($0) }) : []
        hands[number] = Hand(blocks: state == .suspended, lifted: lifted)
        handle(
            .byHand(
                number,
                sources.map {
                    Outcome(
                        intent: nil, subject: anna, source: $0, result: .state(state), learned: .hand, actor: [], requestID: [],
                        reason: "", at: time)
                }))
    }

    private mutating func arrive(_ wanted: UserState) {
        budget.calls -= 1
        number += 1
        let call = IntentCall(subject: anna, wanted: wanted, caller: Caller("admin-\(number)"), requestID: [])
        handle(.arrive(number, call))
    }

    private mutating func endWrite(_ fails: Bool) {
        let (changes, write) = writes.removeFirst()
        if fails { budget.failures -= 1 } else { for change in changes { ledger.apply(change) } }
        handle(.written(write, fails ? .diskFull : nil))
    }

    private mutating func finish(_ call: Int64, _ outcome: UpstreamOutcome) {
        out[call] = nil
        if outcome != .refused(status: 403) { isExcused = false }
        handle(.finished(call, outcome))
    }

    /// Memory is lost; the oldest write may have got to the disk. What was forwarded may still come.
    private mutating func crash(_ isWritten: Bool) {
        budget.crashes -= 1
        hasCrashed = true
        if isWritten { for change in writes[0].changes { ledger.apply(change) } }
        late += out.values.filter { !$0.isDone }.map(\.wanted)
        (writes, out, read, hands) = ([], [:], nil, [:])
        // Whether it was sent nobody knows any more: its answer is asked for like another's.
        if ledger.intents.values.contains(where: { $0.wanted == .active }) { acknowledged = false }
        for intent in ledger.intents.values.sorted(by: { $0.number < $1.number }) {
            ledger.apply(
                .record(
                    Outcome(
                        intent: intent.number, subject: anna, source: .upstream, result: .unknown(wanted: intent.wanted, blocks: false),
                        learned: .crash, actor: [], requestID: [], reason: "", at: time)))
        }
        blocks = ledger.blocks[anna] ?? []
        machine = Self.machine(Array(ledger.unconfirmed.values), index)
        handle(.readable(late: [1, 1]))
    }

    private mutating func handle(_ event: CallMachine.Event) {
        let blocks = blocks
        index.blocks.withLock { $0 = blocks }
        for action in machine.handle(event, at: Moment(steady: time * 1_000_000_000, wall: time)) {
            switch action {
            case .write(let changes, let write): writes.append((changes, write))
            case .block: block(.upstream)
            case .lift: self.blocks.subtract(.upstream)
            case .blockByHand: block(.operator)
            case .liftByHand(_, let source, _): self.blocks.subtract(BlockSources(source))
            case .concludeByHand(let number, let conclusion): handEnds(number, conclusion)
            case .read(_, let number):
                read = (number, nil)
                readIsOld = false
            case .begin(let number, .proceed): forward(number)
            case .conclude(let number, .settled): settled(number)
            default: break
            }
        }
    }

    private mutating func block(_ source: BlockSources) {
        blocks.formUnion(source)
        for number in hands.keys { hands[number]?.lifted.subtract(source) }
    }

    private mutating func handEnds(_ number: Int64, _ conclusion: HandConclusion) {
        guard let hand = hands.removeValue(forKey: number), conclusion == .done else { return }
        // Another operator's lift may have come behind it meanwhile.
        if hand.blocks, !hands.values.contains(where: { $0.lifted.contains(.operator) }) { handAcknowledged = true }
        if !hand.blocks, !hand.lifted.isDisjoint(with: blocks) { fault = "a lift that is done is not in force" }
        if read != nil, !hand.blocks { readIsOld = true }
    }

    private mutating func forward(_ number: Int64) {
        guard let wanted = machine.calls[number]?.call.wanted else { return }
        out[number] = Out(wanted: wanted)
        if wanted == .active { acknowledged = false }
    }

    /// The caller reads the answer: of a suspension if the user is blocked now, since a reactivation's comes with the lift.
    private mutating func settled(_ number: Int64) {
        guard machine.calls[number] == nil || machine.calls[number]?.call.wanted == .suspended, blocks.contains(.upstream) else { return }
        // A lift may have come behind it before its caller was told.
        guard !hands.values.contains(where: { $0.lifted.contains(.upstream) }) else { return }
        acknowledged = true
        readIsOld = read != nil
    }

    // MARK: what must hold

    private mutating func check(_ step: Step, _ before: BlockSources) {
        let gained = blocks.subtracting(before)
        if gained.contains(.upstream) {
            switch step {
            case .answer, .readEnds: break
            // The ledger has what was known before.
            case .crash where ledger.blocks[anna] == blocks: break
            default: fault = "blocked without the service's word"
            }
        }
        if gained.contains(.operator), step != .block {
            if case .crash = step {} else { fault = "blocked without the operator's word" }
        }
        if acknowledged, !blocks.contains(.upstream) { fault = "an acknowledged suspension is not in force" }
        if handAcknowledged, !blocks.contains(.operator) { fault = "an operator's block is not in force" }
        guard isAtRest else { return }
        if !machine.lost.isEmpty || !ledger.unconfirmed.isEmpty { fault = "a call is never settled" }
        if (ledger.blocks[anna] ?? []) != blocks { fault = "memory and ledger differ: \(blocks), \(ledger.blocks[anna] ?? [])" }
        // After a crash a lost call may be forgotten that a confirmed one had settled: the reconcile run's to find.
        if service == .suspended, !blocks.contains(.upstream), !hasCrashed, !isExcused {
            fault = "the service has suspended a user who acts here"
        }
    }

    /// Nothing is under way and nothing will happen by itself.
    var isAtRest: Bool {
        writes.isEmpty && out.isEmpty && late.isEmpty && read == nil && machine.open == 0 && machine.book[anna] == nil
            && machine.debts.isEmpty
    }

    /// Everything that decides about the future, without numbers that only grow; as numbers, since words take most of the time.
    var key: [Int] {
        let now = time * 1_000_000_000
        var key: [Int] = [
            Int(service.rawValue), Int(blocks.rawValue), acknowledged.code, readIsOld.code, hasCrashed.code, handAcknowledged.code,
            isExcused.code, budget.calls, budget.hands, budget.crashes, budget.failures, machine.debts.count,
        ]
        key += out.sorted { $0.key < $1.key }.map { Int($0.value.wanted.rawValue) * 2 + $0.value.isDone.code } + [-1]
        key += late.map { Int($0.rawValue) }.sorted() + [-1]
        for (_, call) in machine.calls.sorted(by: { $0.key < $1.key }) { key += [Int(call.call.wanted.rawValue), Self.code(call.phase)] }
        key.append(-1)
        if let lost = machine.lost[anna] { key += [Int(lost.wanted.rawValue), lost.isBlocking.code, lost.hasOthers.code] }
        key.append(-1)
        if let entry = machine.book[anna] {
            key += [(entry.lateUntil > now).code, (entry.due <= now).code]
            if let read = entry.running {
                let isTouched = machine.touches.isTouched(anna, since: read.mark)
                key += [isTouched.code, (read.asked >= entry.lateUntil).code, self.read?.seen.map { Int($0.rawValue) } ?? 2]
            }
        }
        key.append(-1)
        for (changes, write) in writes { key += Self.code(write.purpose) + changes.flatMap(Self.code) + [-2] }
        key.append(-1)
        key += handsKey + [-1, Int(ledger.blocks[anna]?.rawValue ?? 0), ledger.unconfirmed[anna].map { Int($0.wanted.rawValue) } ?? 2]
        return key + ledger.intents.values.map { Int($0.wanted.rawValue) }.sorted()
    }

    private var handsKey: [Int] {
        hands.sorted { $0.key < $1.key }.flatMap { number, hand in
            var key = [hand.blocks.code, Int(hand.lifted.rawValue)]
            if let change = machine.hands[number] { key += [(!change.settles.isEmpty).code, change.isAnswered.code] }
            for source in BlockSource.allCases {
                key.append((machine.lifting[HandLift(subject: anna, source: source)]?.contains(number) ?? false).code)
            }
            return key
        }
    }

    private static func code(_ phase: CallMachine.Phase) -> Int {
        switch phase {
        case .waiting: 0
        case .writingIntent: 1
        case .forwarded(let hasRow): 2 + hasRow.code
        case .answered: 4
        case .writingOutcome(_, .settled): 5
        case .writingOutcome(_, .unchanged): 6
        case .writingOutcome(_, .unconfirmed(let blocked)): 7 + blocked.code
        case .writingOutcome(_, .notDurable): 9
        }
    }

    private static func code(_ purpose: CallMachine.Write.Purpose) -> [Int] {
        switch purpose {
        case .intent: [0]
        case .outcome(_, let outcome): [1] + code(outcome)
        case .forgetting: [2]
        case .sighting: [3]
        case .learned(let outcome, _): [4] + code(outcome)
        case .byHand(_, let outcomes): [5] + outcomes.flatMap(code)
        case .debts: [6]
        }
    }

    private static func code(_ change: LedgerChange) -> [Int] {
        switch change {
        case .intend(let intent): [0, Int(intent.wanted.rawValue)]
        case .forget: [1]
        case .record(let outcome): [2] + code(outcome)
        case .filling, .probe, .fleet, .alias: [3]
        }
    }

    private static func code(_ outcome: Outcome) -> [Int] {
        let result =
            switch outcome.result {
            case .state(let state): Int(state.rawValue)
            case .unknown(let wanted, let blocks): 2 + 2 * Int(wanted.rawValue) + blocks.code
            case .seen(let state): 6 + Int(state.rawValue)
            }
        return [Int(outcome.source.rawValue), result, Int(outcome.learned.rawValue), outcome.leavesOpen.code]
    }
}

extension Bool {
    fileprivate var code: Int { self ? 1 : 0 }
}
