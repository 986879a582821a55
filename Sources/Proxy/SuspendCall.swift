import HTTPWire
import NIOCore
import Policy
import Suspensions

/// One suspend or reactivate call on its way: SPEC §4, "A suspend or reactivate call, in order".
///
/// Read the body whole → have the intent written → forward once, on a connection of its own → hold the answer → conclude → answer.
/// The client may go at any point after the intent is written; the call is finished without it. Loop-bound.
final class SuspendCall {
    private unowned let exchange: Exchange
    private let worker: Worker
    private let intent: Admission.Intent
    private var step = Step.collecting
    private var body = ByteBuffer()
    private var wanted = UserState.suspended
    /// Whom it is about: known when the body is there.
    private var subject: Subject?
    private var ticket: Ticket?
    private var held: HeldAnswer?

    private enum Step {
        /// The request's body is arriving.
        case collecting
        /// In the queue for this user, or the intent is being written.
        case beginning
        /// Waiting for a connection.
        case leasing
        /// On its way: the upstream may act at any time.
        case forwarded
        /// The outcome is being settled.
        case concluding
        case done
    }

    init(exchange: Exchange, intent: Admission.Intent) {
        self.exchange = exchange
        self.intent = intent
        worker = exchange.worker
    }

    /// Once the intent is being written, the call no longer depends on its client.
    var outlivesClient: Bool {
        switch step {
        case .collecting, .done: false
        default: true
        }
    }

    // MARK: 1 the body

    var isCollecting: Bool { step == .collecting }

    func begin() {
        guard exchange.request.isComplete else {
            if exchange.request.expectsContinue {
                exchange.client?.invite()
            }
            return
        }
        collected()
    }

    /// Takes a piece of the body; more than a suspend call's may have is refused.
    func collect(_ piece: ByteBuffer) {
        guard body.readableBytes + piece.readableBytes <= Limits.intentBody else { return exchange.refuse(.badRequest, closing: true) }
        body.writeImmutableBuffer(piece)
    }

    func collected() {
        do {
            let (wanted, named) = try intent.reading.read(
                body: Array(body.readableBytesView), contentType: intent.contentType, contentEncoding: intent.contentEncoding)
            guard let subject = intent.subject(named: named) else { return exchange.refuse(.badRequest) }
            (self.wanted, self.subject) = (wanted, subject)
            step = .beginning
            ask(about: subject)
        } catch {
            exchange.refuse(error)
        }
    }

    // MARK: 2–3 the queue and the intent

    private func ask(about subject: Subject) {
        let call = IntentCall(
            subject: subject, wanted: wanted, caller: intent.caller, requestID: exchange.record.id.bytes,
            suspendsOnUnknown: exchange.route.suspendsOnUnknown)
        let bound = LoopBound(exchange, worker.loop)
        exchange.snapshot.suspensions.begin(call) { beginning in
            bound.execute { $0.suspendCall?.began(beginning) }
        }
    }

    private func began(_ beginning: Beginning) {
        worker.clock.read()
        exchange.progressed = worker.clock.now
        switch beginning {
        case .proceed(let ticket):
            self.ticket = ticket
            step = .leasing
            exchange.lease()
        case .busy: refuse(.suspensionBusy)
        case .draining: refuse(.overloaded)
        case .notDurable: refuse(.suspensionNotDurable)
        case .tooMany(let seconds, let limit): refuse(.rateLimited, retryAfter: seconds, rule: limit.key)
        }
    }

    private func refuse(_ denial: Denial, retryAfter: Int? = nil, rule: String? = nil) {
        step = .done
        exchange.refuse(denial, retryAfter: retryAfter, rule: rule)
    }

    // MARK: 4 forwarding

    /// Called with the head already written: adds the body's length and the body.
    func sendBody(to connection: UpstreamConnection) {
        step = .forwarded
        var tail = ByteBuffer()
        if exchange.request.framing != .none || body.readableBytes > 0 { tail.writeString("Content-Length: \(body.readableBytes)\r\n") }
        tail.writeStaticString("\r\n")
        tail.writeImmutableBuffer(body)
        connection.write(tail)
        connection.requestEnded()
    }

    /// No connection was to be had: nothing has happened.
    func notSent(_ denial: Denial) {
        conclude(.notSent) { call, _ in call.exchange.refuse(denial) }
    }

    /// Whoever asked is suspended meanwhile, or needs a new token: nothing has happened.
    func withdrawn(_ denial: Denial, staleFor: Int?) {
        conclude(.notSent) { call, _ in call.exchange.refuse(denial, staleFor: staleFor) }
    }

    func checkDeadline(still milliseconds: Int64) {
        switch step {
        case .collecting:
            if milliseconds > exchange.snapshot.limits.idle { exchange.refuse(.requestTimeout, closing: true) }
        case .leasing:
            if milliseconds > exchange.route.timeoutMilliseconds {
                exchange.request.isLeasing = false
                exchange.pool.cancel(exchange)
                notSent(.overloaded)
            }
        case .forwarded:
            // The whole answer counts, not its first byte: a slow one would keep everybody else's calls for this user waiting.
            let taken = (worker.clock.now - exchange.record.forwarded) / 1_000_000
            if taken > exchange.route.timeoutMilliseconds { answerFailed(.timedOut) }
        case .beginning, .concluding, .done: break
        }
    }

    /// The gateway ends before the call does: who asked is told what is known, and so is the ledger, which is closed last.
    func stop() {
        exchange.abandonUpstream()
        switch step {
        case .collecting, .beginning: refuse(.overloaded)
        case .leasing:
            settle(.notSent)
            refuse(.overloaded)
        case .forwarded:
            settle(.unconfirmed(cause: "gateway stopped"))
            refuseUnconfirmed(.upstreamTimeout)
        case .concluding: refuseUnconfirmed(.upstreamTimeout)
        case .done: break
        }
    }

    /// Hands over an outcome that nobody waits for any more.
    private func settle(_ outcome: UpstreamOutcome) {
        if let ticket { exchange.snapshot.suspensions.finish(ticket, outcome) { _ in } }
    }

    // MARK: 5–6 the answer

    func answerBegan(_ head: borrowing ResponseHead) {
        held = HeldAnswer(head: head, rewritten: ResponseRewriter.held(head, id: exchange.record.id, cors: exchange.admission.cors))
    }

    func answerData(_ piece: ByteBuffer) {
        held?.append(piece)
        if held?.isTooLarge == true {
            exchange.abandonUpstream()
            answerEnded()
        }
    }

    func answerEnded() {
        guard step == .forwarded, let held, let subject else { return }
        if intent.aliases != nil, !held.isTooLarge { learnAliases(held, of: subject) }
        switch held.verdict(on: intent, about: subject.user, wanted: wanted) {
        case .confirmed:
            if wanted == .suspended { worker.confirmedSuspensions[subject] = SocketLoop.now }
            conclude(.confirmed) { $0.confirmed($1) }
        case .refused: conclude(.refused(status: held.status)) { call, _ in call.passOn(reach: nil) }
        case .passedOnUnconfirmed(let cause): conclude(.unconfirmed(cause: cause)) { call, _ in call.passOn(reach: nil) }
        case .unconfirmed(let cause):
            conclude(.unconfirmed(cause: cause)) { call, _ in call.refuseUnconfirmed(.suspensionUnconfirmed) }
        }
    }

    private func learnAliases(_ held: HeldAnswer, of subject: Subject) {
        exchange.snapshot.suspensions.aliases.learn(
            from: held.content, by: intent.aliases, about: subject.user, directory: intent.directory, reach: intent.reach,
            tenant: intent.tenant, age: .nanoseconds(worker.clock.now - exchange.record.forwarded))
    }

    func answerFailed(_ failure: UpstreamFailure) {
        if failure == .timedOut { exchange.upstream?.abandonLate() }
        exchange.abandonUpstream()
        guard step == .forwarded else { return }
        let (cause, denial): (String, Denial) =
            switch failure {
            case .timedOut: ("timeout", .upstreamTimeout)
            case .closed: ("connection lost", .upstreamUnavailable)
            case .malformed: ("malformed answer", .upstreamProtocolError)
            }
        conclude(.unconfirmed(cause: cause)) { call, _ in call.refuseUnconfirmed(denial) }
    }

    /// Hands the outcome over and goes on when it is settled.
    private func conclude(_ outcome: UpstreamOutcome, then next: @escaping (SuspendCall, Conclusion) -> Void) {
        guard let ticket else { return }
        step = .concluding
        let bound = LoopBound((exchange, next), worker.loop)
        exchange.snapshot.suspensions.finish(ticket, outcome) { conclusion in
            bound.execute { exchange, next in
                exchange.worker.clock.read()
                if let call = exchange.suspendCall { next(call, conclusion) }
            }
        }
    }

    /// The 2xx goes out only after every loop has seen the block: whoever reads it can rely on it.
    private func confirmed(_ conclusion: Conclusion) {
        let bound = LoopBound(exchange, worker.loop)
        worker.gateway.afterEveryLoop(on: worker.loop) {
            let exchange = bound.value
            exchange.worker.clock.read()
            guard let call = exchange.suspendCall else { return }
            if let subject = call.subject { exchange.worker.confirmedSuspensions[subject] = nil }
            conclusion == .settled ? call.confirmEverywhere() : call.refuse(.suspensionNotDurable)
        }
    }

    /// Where the file has suspensions acknowledged by the whole fleet, the 2xx waits for it, for a second at most.
    private func confirmEverywhere() {
        guard wanted == .suspended, let confirm = exchange.snapshot.fleetConfirmation else { return passOn(reach: "gateway") }
        let bound = LoopBound(exchange, worker.loop)
        confirm { isEverywhere in
            bound.execute { exchange in
                exchange.worker.clock.read()
                guard let call = exchange.suspendCall, call.step == .concluding else { return }
                call.passOn(reach: isEverywhere ? "fleet" : "gateway")
            }
        }
    }

    private func passOn(reach: StaticString?) {
        step = .done
        guard let held else { return exchange.refuse(.internalError) }
        exchange.answerWhole(held, reach: reach)
    }

    private func refuseUnconfirmed(_ denial: Denial) {
        step = .done
        exchange.refuse(denial, details: .init(suspension: "unconfirmed"))
    }
}
