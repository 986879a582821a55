import Dispatch
import Glibc
import Policy
import Suspensions
import Synchronization

/// Runs the reconciler: for each directory at the start, then as often as the file says, after a run that was stopped sooner, and when
/// somebody asks. One run at a time, on a thread of its own.
final class ReconcileService: Sendable {
    /// What is to be run and when.
    fileprivate struct Plan {
        let name: String
        /// Milliseconds between two runs; nil: only when somebody asks.
        var every: Int64?
        /// Milliseconds of the authority's clock.
        var next: Int64
        /// Stopped runs in a row.
        var failures = 0
        var figures: ReconcileFigures
        /// What was said last, so that nothing is said again and again.
        var said: String?
    }

    private struct State {
        var plans: [DirectoryIndex: Plan] = [:]
        /// A run that somebody has asked for is not over.
        var isAsked = false
        /// Whose run is under way.
        var running: DirectoryIndex?
        var isOver = false
    }

    private let state = Mutex(State())
    private let reconciler: Reconciler
    private let say: @Sendable (String) -> Void
    private let thread = DispatchQueue(label: "tenantgate.reconcile", qos: .utility)

    init(_ authority: SuspensionAuthority, _ source: any UserSource, say: @escaping @Sendable (String) -> Void) {
        reconciler = Reconciler(authority, source: source)
        self.say = say
        tick()
    }

    /// Runs as the file says from now on. A directory whose settings stay keeps its time.
    func follow(_ configuration: Configuration) {
        let now = Self.now()
        state.withLock { state in
            let before = state.plans
            state.plans = [:]
            for (index, directory) in configuration.directories.enumerated() {
                guard let service = directory.service else { continue }
                var plan =
                    before[index]
                    ?? Plan(name: directory.name, next: now, figures: ReconcileFigures(directory: directory.name))
                if plan.every != service.reconcileMilliseconds { plan.next = now }
                plan.every = service.reconcileMilliseconds
                state.plans[index] = plan
            }
        }
    }

    /// What an operator is told who asks for a run.
    enum Beginning: Sendable, Equatable {
        case begun
        /// Somebody has asked before, and that is not over.
        case inProgress
        /// The directory has no service token; these have one.
        case unreadable(others: [String])
        case over
    }

    /// Has a directory, or all that can be, compared now; `apply` says yes to any number of changes. Doesn't wait.
    func begin(_ name: String? = nil, apply: Bool) -> Beginning {
        let (beginning, wanted) = state.withLock { state -> (Beginning, [DirectoryIndex]) in
            let wanted = state.plans.filter { name == nil || $0.value.name == name }.keys.sorted()
            guard !state.isOver else { return (.over, []) }
            guard !wanted.isEmpty else { return (.unreadable(others: state.plans.values.map(\.name).sorted()), []) }
            guard !state.isAsked else { return (.inProgress, []) }
            state.isAsked = true
            return (.begun, wanted)
        }
        guard beginning == .begun else { return beginning }
        thread.async { [self] in
            for index in wanted { _ = runNow(index, apply: apply) }
            state.withLock { $0.isAsked = false }
        }
        return .begun
    }

    /// Whether a run that somebody has asked for is not over.
    var isAsked: Bool { state.withLock { $0.isAsked } }

    /// How the runs stand, in the file's order.
    var figures: [ReconcileFigures] {
        let (now, wall) = (Self.now(), Int64(time(nil)) * 1000)
        return state.withLock { state in
            state.plans.sorted { $0.key < $1.key }.map { index, plan in
                var figures = plan.figures
                figures.isRunning = state.running == index
                if plan.every != nil, !figures.isRunning { figures.next = wall + max(0, plan.next - now) }
                return figures
            }
        }
    }

    /// Lines for `/readyz`.
    var notices: [String] {
        figures.compactMap { figures in
            guard let report = figures.last, report.ending != .done else { return nil }
            return "reconcile of \(figures.directory): \(report.words)"
        }
    }

    /// Begins no further run. One that is under way is left alone: nothing waits for it.
    func end() {
        state.withLock { $0.isOver = true }
    }

    // MARK: running

    /// Looks four times a second whether a run is due.
    private func tick() {
        thread.asyncAfter(deadline: .now() + .milliseconds(250)) { [weak self] in
            guard let self, !state.withLock({ $0.isOver }) else { return }
            runDue()
            tick()
        }
    }

    private func runDue() {
        let now = Self.now()
        let due = state.withLock { state in
            state.isOver ? [] : state.plans.filter { $0.value.every != nil && $0.value.next <= now }.keys.sorted()
        }
        for directory in due where !state.withLock({ $0.isOver }) { _ = runNow(directory, apply: false) }
    }

    @discardableResult
    private func runNow(_ directory: DirectoryIndex, apply: Bool) -> ReconcileReport {
        state.withLock { $0.running = directory }
        let report = reconciler.run(directory, apply: apply)
        let line = state.withLock { state -> String? in
            state.running = nil
            guard !state.isOver, var plan = state.plans[directory] else { return nil }
            plan.figures.note(report)
            plan.next = Self.now() + Self.pause(after: report, every: plan.every ?? 0, failures: plan.failures)
            if case .stopped = report.ending { plan.failures += 1 } else { plan.failures = 0 }
            let line = plan.news(of: report)
            state.plans[directory] = plan
            return line
        }
        if let line { say(line) }
        return report
    }

    /// Milliseconds until the next run, spread by a tenth: a run that was stopped is tried again sooner.
    private static func pause(after report: ReconcileReport, every: Int64, failures: Int) -> Int64 {
        var pause = every
        if case .stopped = report.ending { pause = min(every, firstRetry << Int64(min(failures, 10))) }
        return pause - Int64.random(in: 0...max(pause / 10, 1))
    }

    /// Milliseconds after the first of several stopped runs.
    private static let firstRetry: Int64 = 2000

    private static func now() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}

extension ReconcileService {
    /// What a run that changed nothing and is like the one before has to say: nothing.
    fileprivate static func isQuiet(_ report: ReconcileReport) -> Bool {
        report.ending == .done && report.blocked + report.lifted + report.left == 0
    }
}

extension ReconcileService.Plan {
    fileprivate mutating func news(of report: ReconcileReport) -> String? {
        let isQuiet = ReconcileService.isQuiet(report) && !report.isFirst
        let key: String? =
            switch report.ending {
            case .done: nil
            case .asks: "asks"
            case .stopped(let reason): reason
            }
        defer { said = key }
        if key != nil, key == said { return nil }
        if key == nil, said == nil, isQuiet { return nil }
        return "reconcile of \(name): \(report.isFirst ? "first filling: " : "")\(report.words)"
    }
}

/// What metrics and the admin API tell of a directory's reconcile runs.
struct ReconcileFigures: Sendable {
    let directory: String
    var last: ReconcileReport?
    var isRunning = false
    /// When the next run begins by itself, in Unix milliseconds; nil while one is under way, and where there are none.
    var next: Int64?
    /// Runs by how they ended: done, asks, stopped.
    var runs: [String: Int] = ["done": 0, "asks": 0, "stopped": 0]
    var blocked = 0
    var lifted = 0

    init(directory: String) { self.directory = directory }

    mutating func note(_ report: ReconcileReport) {
        last = report
        blocked += report.blocked
        lifted += report.lifted
        switch report.ending {
        case .done: runs["done", default: 0] += 1
        case .asks: runs["asks", default: 0] += 1
        case .stopped: runs["stopped", default: 0] += 1
        }
    }
}
