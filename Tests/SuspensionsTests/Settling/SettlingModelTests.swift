import Policy
import Synchronization
import Testing

@testable import Suspensions

/// Every order of everything that can happen to one user at one gateway, by breadth-first search over the real machine: calls, answers that
/// are lost before or after the service has done what they ask, lost calls that are carried out late, reads that see the service at any
/// moment between their question and their answer, ledger writes that end late or fail, and a crash anywhere.
///
/// In every state that can be reached:
/// - nobody is blocked but by a confirmed suspension, or because the service itself showed the user as suspended;
/// - a suspension that its caller has read is in force until a reactivation is sent, or may have been; no read lifts it that is older;
/// - when everything has come to rest, no call is unconfirmed any more, and nobody acts here whom the service has suspended.
@Suite("every order of calls, lost answers, late commits, reads and crashes")
struct SettlingModelTests {
    @Test(
        "an unconfirmed call blocks nobody, no older read lifts an acknowledged suspension, and everything is settled in the end",
        arguments: [(calls: 3, crashes: 0, failures: 0), (3, 1, 0), (2, 2, 0), (3, 0, 1), (2, 1, 1)])
    func everyOrder(calls: Int, crashes: Int, failures: Int) {
        var seen: Set<String> = []
        var frontier = [World(calls: calls, crashes: crashes, failures: failures)]
        var (depth, rests) = (0, 0)
        while !frontier.isEmpty {
            var next: [World] = []
            for world in frontier {
                for step in world.steps {
                    var after = world
                    after.take(step)
                    guard seen.insert(after.key).inserted else { continue }
                    if let fault = after.fault {
                        Issue.record("\(fault): \(after.story)")
                        return
                    }
                    if after.isAtRest { rests += 1 }
                    next.append(after)
                }
            }
            frontier = next
            depth += 1
            guard depth < 200 else {
                Issue.record("no end: \(frontier.first?.story ?? "")")
                return
            }
        }
        print(
            "settling: \(calls) calls, \(crashes) crashes, \(failures) failures: \(seen.count) states, \(depth) steps deep, \(rests) at rest"
        )
        #expect(seen.count > 1000 && rests > 3)
    }
}

/// One gateway, one user, one service.
private struct World {
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
        case crash(isWritten: Bool)
    }

    private struct Out: Hashable {
        let wanted: UserState
        var isDone = false
    }

    /// The index as the machine asks it: set before each event, since the worlds of a run share it.
    private final class Index: Sendable {
        let isBlocked = Mutex(false)
    }

    private let index = Index()

    private var machine: CallMachine
    private var ledger = MemoryLedger.Contents()
    private var isBlocked = false
    private var writes: [(changes: [LedgerChange], write: CallMachine.Write)] = []
    /// Forwarded, and not answered.
    private var out: [Int64: Out] = [:]
    /// Lost, and perhaps still to come.
    private var late: [UserState] = []
    private var service = UserState.active
    private var read: (number: Int64, seen: UserState?)?
    private var time: Int64 = 1
    private var number: Int64 = 0
    private var calls = 0
    private var crashes = 0
    private var failures = 0

    // What the invariants are about.
    private var acknowledged = false
    /// The read under way was asked for before the last acknowledged suspension was.
    private var readIsOld = false
    private var hasCrashed = false
    private(set) var fault: String?
    private var trail: [Step] = []

    /// How it came to this.
    var story: String { trail.map { "\($0)".split(separator: ".").last.map(String.init) ?? "" }.joined(separator: ", ") }

    init(calls: Int, crashes: Int, failures: Int) {
        (self.calls, self.crashes, self.failures) = (calls, crashes, failures)
        machine = Self.machine([], index)
        handle(.readable(late: [1, 1]))
    }

    private static func machine(_ unconfirmed: [UnconfirmedCall], _ index: Index) -> CallMachine {
        CallMachine(bounds: .init(), unconfirmed: unconfirmed) { _ in index.isBlocked.withLock { $0 } }
    }

    // MARK: what can happen

    var steps: [Step] {
        var steps: [Step] = []
        if calls > 0, machine.open < 2 { steps += [.arrive(.suspended), .arrive(.active)] }
        if !writes.isEmpty { steps += failures > 0 ? [.writeEnds(fails: false), .writeEnds(fails: true)] : [.writeEnds(fails: false)] }
        for (call, state) in out.sorted(by: { $0.key < $1.key }) {
            if state.isDone { steps.append(.answer(call)) } else { steps += [.commit(call), .refuse(call)] }
            steps.append(.lose(call))
        }
        for wanted in Set(late) { steps += [.lateCommit(wanted), .never(wanted)] }
        if let read { steps.append(read.seen == nil ? .look : .readEnds) }
        if read != nil, failures > 0 { steps.append(.readFails) }
        if writes.isEmpty, out.isEmpty, late.isEmpty, read == nil, machine.open == 0, machine.book[anna] != nil || !machine.debts.isEmpty {
            steps.append(.pass)
        }
        if crashes > 0 { steps += writes.isEmpty ? [.crash(isWritten: false)] : [.crash(isWritten: false), .crash(isWritten: true)] }
        return steps
    }

    mutating func take(_ step: Step) {
        trail.append(step)
        let wasBlocked = isBlocked
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
            failures -= 1
            let number = read!.number
            read = nil
            handle(.read(anna, number, .sick("away")))
        case .pass:
            time += 1000
            handle(.tick)
        case .crash(let isWritten): crash(isWritten)
        }
        check(step, wasBlocked: wasBlocked)
    }

    private mutating func arrive(_ wanted: UserState) {
        calls -= 1
        number += 1
        let call = IntentCall(subject: anna, wanted: wanted, caller: Caller("admin-\(number)"), requestID: [])
        handle(.arrive(number, call))
    }

    private mutating func endWrite(_ fails: Bool) {
        let (changes, write) = writes.removeFirst()
        if fails { failures -= 1 } else { for change in changes { ledger.apply(change) } }
        handle(.written(write, fails ? .diskFull : nil))
    }

    private mutating func finish(_ call: Int64, _ outcome: UpstreamOutcome) {
        out[call] = nil
        handle(.finished(call, outcome))
    }

    /// Memory is lost; the oldest write may have got to the disk. What was forwarded may still come.
    private mutating func crash(_ isWritten: Bool) {
        crashes -= 1
        hasCrashed = true
        if isWritten { for change in writes[0].changes { ledger.apply(change) } }
        late += out.values.filter { !$0.isDone }.map(\.wanted)
        (writes, out, read) = ([], [:], nil)
        // Whether it was sent nobody knows any more: its answer is asked for like another's.
        if ledger.intents.values.contains(where: { $0.wanted == .active }) { acknowledged = false }
        for intent in ledger.intents.values.sorted(by: { $0.number < $1.number }) {
            ledger.apply(
                .record(
                    Outcome(
                        intent: intent.number, subject: anna, source: .upstream, result: .unknown(wanted: intent.wanted, blocks: false),
                        learned: .crash, actor: [], requestID: [], reason: "", at: time)))
        }
        isBlocked = ledger.blocks[anna] != nil
        machine = Self.machine(Array(ledger.unconfirmed.values), index)
        handle(.readable(late: [1, 1]))
    }

    private mutating func handle(_ event: CallMachine.Event) {
        let isBlocked = isBlocked
        index.isBlocked.withLock { $0 = isBlocked }
        for action in machine.handle(event, at: Moment(steady: time * 1_000_000_000, wall: time)) {
            switch action {
            case .write(let changes, let write): writes.append((changes, write))
            case .block: self.isBlocked = true
            case .lift: self.isBlocked = false
            case .read(_, let number):
                read = (number, nil)
                readIsOld = false
            case .begin(let number, .proceed): forward(number)
            case .conclude(let number, .settled): settled(number)
            default: break
            }
        }
    }

    private mutating func forward(_ number: Int64) {
        guard let wanted = machine.calls[number]?.call.wanted else { return }
        out[number] = Out(wanted: wanted)
        if wanted == .active { acknowledged = false }
    }

    /// The caller reads the answer: of a suspension if the user is blocked now, since a reactivation's comes with the lift.
    private mutating func settled(_ number: Int64) {
        guard machine.calls[number] == nil || machine.calls[number]?.call.wanted == .suspended, isBlocked else { return }
        acknowledged = true
        readIsOld = read != nil
    }

    // MARK: what must hold

    private mutating func check(_ step: Step, wasBlocked: Bool) {
        if isBlocked, !wasBlocked {
            switch step {
            case .answer, .readEnds: break
            // The ledger has what was known before.
            case .crash where ledger.blocks[anna] != nil: break
            default: fault = "blocked without the service's word"
            }
        }
        if case .lose = step, isBlocked, !wasBlocked { fault = "blocked by an unconfirmed call" }
        if acknowledged, !isBlocked { fault = "an acknowledged suspension is not in force" }
        guard isAtRest else { return }
        if !machine.lost.isEmpty || !ledger.unconfirmed.isEmpty { fault = "a call is never settled" }
        if ledger.blocks[anna] != nil, !isBlocked { fault = "the ledger blocks, memory doesn't" }
        if ledger.blocks[anna] == nil, isBlocked { fault = "memory blocks, the ledger doesn't" }
        // After a crash a lost call may be forgotten that a confirmed one had settled: the reconcile run's to find.
        if service == .suspended, !isBlocked, !hasCrashed { fault = "the service has suspended a user who acts here" }
    }

    /// Nothing is under way and nothing will happen by itself.
    var isAtRest: Bool {
        writes.isEmpty && out.isEmpty && late.isEmpty && read == nil && machine.open == 0 && machine.book[anna] == nil
            && machine.debts.isEmpty
    }

    /// Everything that decides about the future, without numbers that only grow.
    var key: String {
        let now = time * 1_000_000_000
        let entry = machine.book[anna]
        let read = entry?.running.map {
            "\(machine.touches.isTouched(anna, since: $0.mark)) \($0.asked >= entry!.lateUntil) \(self.read?.seen as Any)"
        }
        let calls = machine.calls.sorted { $0.key < $1.key }.map { "\($0.value.call.wanted) \(Self.name($0.value.phase))" }
        return [
            "\(service) \(isBlocked) \(acknowledged) \(readIsOld) \(hasCrashed) \(self.calls) \(crashes) \(failures)",
            "\(out.sorted { $0.key < $1.key }.map { "\($0.value)" }) \(late.map(\.rawValue).sorted()) \(calls)",
            "\(String(describing: machine.lost[anna])) \(read ?? "-") \(entry.map { "\($0.lateUntil > now) \($0.due <= now)" } ?? "-")",
            "\(writes.map { "\(Self.name($0.write.purpose)) \($0.changes.map(Self.name))" }) \(machine.debts.count)",
            "\(ledger.blocks[anna] != nil) \(String(describing: ledger.unconfirmed[anna]?.wanted)) \(ledger.intents.values.map(\.wanted.rawValue).sorted())",
        ].joined(separator: "|")
    }

    private static func name(_ phase: CallMachine.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .writingIntent: "intent"
        case .forwarded(let hasRow): "forwarded \(hasRow)"
        case .writingOutcome(_, let conclusion): "outcome \(conclusion)"
        case .answered: "answered"
        }
    }

    private static func name(_ purpose: CallMachine.Write.Purpose) -> String {
        switch purpose {
        case .intent: "intent"
        case .outcome(_, let outcome): "outcome \(outcome.result)"
        case .forgetting: "forget"
        case .sighting: "sighting"
        case .learned(let outcome, _): "learned \(outcome.result) \(outcome.leavesOpen)"
        case .byHand(_, let outcomes): "by hand \(outcomes.map(\.result))"
        case .debts: "debts"
        }
    }

    private static func name(_ change: LedgerChange) -> String {
        switch change {
        case .intend(let intent): "intend \(intent.wanted)"
        case .forget: "forget"
        case .record(let outcome): "record \(outcome.result) \(outcome.learned) \(outcome.leavesOpen)"
        case .filling, .probe: "other"
        }
    }
}
