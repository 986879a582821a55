import Dispatch
import Foundation
import Policy
import Proxy
import Suspensions
import Synchronization

/// The gateway before this one, from the moment when it follows until its last connection has ended: it is told of every change and given
/// its lease, and its suspend calls are taken.
///
/// What a suspension waits for: that its change is acknowledged, that the other process has ended, or that every lease which was given before
/// the change is over (`Limits.leaseMilliseconds`). Leases are given in line with changes, so whoever has a later one has the change.
final class PredecessorLink: SuspensionFollower {
    private struct Waiter {
        let change: Int64
        /// Steady nanoseconds.
        let until: Int64
        let next: @Sendable () -> Void
    }

    private struct State {
        var line: [[UInt8]] = []
        /// Numbers of the last change, and of the last that is in force there.
        var changed: Int64 = 0
        var applied: Int64 = 0
        var changedAt: Int64 = 0
        var waiting: [Waiter] = []
        /// How often somebody has waited to the one end and to the other.
        var waitsApplied = 0
        var waitsLeaseOver = 0
        /// When the last lease is over of one that isn't heard any more; nil while it is.
        var overAt: Int64?
        /// Calls of its connections that may be forwarded.
        var tickets: Set<Ticket> = []
    }

    let socket: PacketSocket
    private let coder: HandoverCoder
    private let authority: SuspensionAuthority
    private let gateway: Gateway
    private let say: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let bell = DispatchSemaphore(value: 0)

    /// Leases are over when this much more has passed: clocks are read a moment before they are looked at.
    private static let margin: Int64 = 50_000_000
    private static let lease = Limits.leaseMilliseconds * 1_000_000 + margin

    init(
        _ socket: PacketSocket, _ coder: HandoverCoder, _ authority: SuspensionAuthority, _ gateway: Gateway,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.socket = socket
        self.coder = coder
        self.authority = authority
        self.gateway = gateway
        self.say = say
    }

    /// Tells and listens from now on, on threads of its own. The authority leads by it until the other process is gone.
    func start() {
        authority.lead(self)
        Thread.detachNewThread { [self] in tell() }
        Thread.detachNewThread { [self] in listen() }
    }

    /// The other process is gone, or has no lease any more.
    var isOver: Bool { state.withLock { $0.overAt.map { $0 <= Self.now } ?? false } }

    func add(to figures: inout UpgradeFigures) {
        let isOver = isOver
        state.withLock { state in
            (figures.waitsApplied, figures.waitsLeaseOver) = (state.waitsApplied, state.waitsLeaseOver)
            guard !isOver else { return }
            figures.follower = UpgradeFigures.Follower(process: socket.process, unapplied: Int(state.changed - state.applied))
        }
    }

    // MARK: for the authority

    func changed(_ change: SuspensionChange) {
        for part in change.parts {
            state.withLock { state in
                state.changed += 1
                state.changedAt = Self.now
                state.line.append(coder.bytes(.change(state.changed, part)))
            }
        }
        bell.signal()
    }

    func whenFollowed(_ next: @escaping @Sendable () -> Void) {
        let isFollowed = state.withLock { state in
            if state.applied >= state.changed { return true }
            let until = min(state.changedAt + Self.lease, state.overAt ?? .max)
            guard until > Self.now else { return true }
            state.waiting.append(Waiter(change: state.changed, until: until, next: next))
            return false
        }
        if isFollowed { next() }
    }

    // MARK: telling

    private func tell() {
        var lastLease: Int64 = 0
        while true {
            _ = bell.wait(timeout: .now() + .milliseconds(20))
            let (line, isLost) = state.withLock { state -> ([[UInt8]], Bool) in
                if Self.now - lastLease >= Limits.leaseWordMilliseconds * 1_000_000 {
                    lastLease = Self.now
                    state.line.append(coder.bytes(.lease(at: authority.knownUntil)))
                }
                defer { state.line = [] }
                return (state.line, state.line.count > Limits.takeoverBacklog)
            }
            if isLost || !line.allSatisfy(send) { giveUp() }
            release()
            if isOver { return authority.lead(nil) }
        }
    }

    /// Waits for room as long as it takes: meanwhile whoever waits in vain goes on.
    private func send(_ message: [UInt8]) -> Bool {
        while true {
            switch socket.send(message, milliseconds: 20) {
            case .done: return true
            case .gone: return false
            case .full:
                release()
                if state.withLock({ $0.line.count > Limits.takeoverBacklog || $0.overAt != nil }) { return false }
            }
        }
    }

    /// Lets those go on whose change is in force there, or whose time is over.
    private func release() {
        let now = Self.now
        let ready = state.withLock { state in
            let (applied, end) = (state.applied, state.overAt ?? .max)
            func isReady(_ waiter: Waiter) -> Bool { waiter.change <= applied || min(waiter.until, end) <= now }
            defer { state.waiting.removeAll(where: isReady) }
            let ready = state.waiting.filter(isReady)
            let inForce = ready.count { $0.change <= applied }
            state.waitsApplied += inForce
            state.waitsLeaseOver += ready.count - inForce
            return ready
        }
        for waiter in ready { waiter.next() }
    }

    /// It is told nothing more: its lease runs out, and it ends when it notices.
    private func giveUp() {
        state.withLock { state in state.overAt = state.overAt ?? Self.now + Self.lease }
        socket.end()
    }

    // MARK: listening

    private func listen() {
        while true {
            switch socket.receive(milliseconds: -1) {
            case .nothing: continue
            case .message(let bytes, let descriptors):
                for descriptor in descriptors { close(descriptor) }
                guard let message = coder.message(bytes), take(message) else { return end(after: Self.lease) }
            case .end: return end(after: 0)
            }
        }
    }

    /// False for what doesn't belong here.
    private func take(_ message: HandoverMessage) -> Bool {
        switch message {
        case .applied(let number):
            state.withLock { $0.applied = max($0.applied, min(number, $0.changed)) }
            release()
        case .begin(let number, let call):
            guard let call else { return answer(.beginning(number, .draining)) }
            authority.begin(call) { [self] in begun(number, $0) }
        case .finish(let number, let ticket, let outcome):
            guard state.withLock({ $0.tickets.remove(ticket) }) != nil else { return answer(.conclusion(number, .notDurable)) }
            authority.finish(ticket, outcome) { [self] conclusion in
                // The 2xx goes out there: every loop here has to have seen the block, as with one of ours.
                gateway.afterEveryLoop { [self] in _ = answer(.conclusion(number, conclusion)) }
            }
        case .learned(let word): authority.learned(word)
        default: return false
        }
        return true
    }

    private func begun(_ number: Int64, _ beginning: Beginning) {
        if case .proceed(let ticket) = beginning {
            let isThere = state.withLock { state in
                if state.overAt == nil { state.tickets.insert(ticket) }
                return state.overAt == nil
            }
            guard isThere else { return authority.finish(ticket, .notSent) { _ in } }
        }
        _ = answer(.beginning(number, beginning))
    }

    private func answer(_ message: HandoverMessage) -> Bool {
        state.withLock { $0.line.append(coder.bytes(message)) }
        bell.signal()
        return true
    }

    /// It is gone. What it had forwarded may have been carried out: nobody will ever know from it.
    private func end(after wait: Int64) {
        let tickets = state.withLock { state in
            state.overAt = min(state.overAt ?? .max, Self.now + wait)
            defer { state.tickets = [] }
            return state.tickets
        }
        socket.end()
        bell.signal()
        for ticket in tickets { authority.finish(ticket, .unconfirmed(cause: "the gateway before ended")) { _ in } }
        if wait == 0 { authority.lead(nil) }
        say("upgrade: the process before, \(socket.process), has ended")
    }

    private static var now: Int64 { Int64(DispatchTime.now().uptimeNanoseconds) }
}

extension SuspensionChange {
    /// The same in pieces that a message has room for.
    fileprivate var parts: [SuspensionChange] {
        guard case .block(let subjects, let source) = self, subjects.count > HandoverMessage.subjectsPerChange else { return [self] }
        return stride(from: 0, to: subjects.count, by: HandoverMessage.subjectsPerChange).map {
            .block(Array(subjects[$0..<min($0 + HandoverMessage.subjectsPerChange, subjects.count)]), source)
        }
    }
}
