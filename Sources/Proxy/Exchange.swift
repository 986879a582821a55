import HTTPWire
import NIOCore
import Policy
import Suspensions

/// One admitted request and its answer: from the Gatekeeper's verdict to the line in the log.
///
/// Ordinary exchanges stream both ways with back-pressure. A call of the dialect that suspends or reactivates is held and learned from:
/// its `suspendCall` takes the request's body and the answer instead. Loop-bound; ends exactly once, in `finish`.
final class Exchange {
    let worker: Worker
    let snapshot: Snapshot
    let rules: RouteRules
    /// Its upstream's connections, as the snapshot had them.
    let pool: UpstreamPool
    let admission: Admission
    /// Whose share of the upstream's connections it takes.
    let caller: CallerKey
    /// Nil once the client has gone.
    private(set) var client: ExchangeClient?
    var record: AccessRecord

    /// The head that goes upstream; kept until the answer begins, for the one retry.
    var head: ByteBuffer
    var upstream: UpstreamConnection?
    var body: BodyDecoder
    var request: RequestState
    var answer = AnswerState()
    var message = Message()
    var observer: Observer?
    private(set) var suspendCall: SuspendCall?
    /// Set for a request that asks for a WebSocket.
    let tunnel: WebSocketTunnel?
    /// Loop clock at which something last moved.
    var progressed: Int64
    private(set) var isEnded = false

    /// How far the request has come.
    struct RequestState {
        let method: HTTPWire.RequestMethod
        let framing: BodyFraming
        let expectsContinue: Bool
        /// The client wants the connection closed after the answer.
        var isLast: Bool
        /// A connection has been asked for and not yet been had.
        var isLeasing = false
        var isRetried = false
        /// The place of the server that it was sent to last.
        var server = 0
        /// The body's last byte has been read.
        var isComplete: Bool
        var bodyBytes = 0
        /// A small body is awaited whole before a connection is asked for.
        var isGathering = false
        /// It counts among the unfinished uploads of its pool.
        var isCountedUpload = false
        /// The service has asked for the body.
        var isInvited = false
        var pace = BodyPace()
        /// Data of small chunks that goes upstream together.
        var pending = ByteBuffer()

        init(_ head: borrowing RequestHead) {
            method = head.method
            framing = head.framing
            expectsContinue = head.expectsContinue
            isLast = !head.keepAlive
            isComplete = head.framing == .none
        }

        /// A repetition does no harm (RFC 9110 §9.2.2) and needs no body that is already gone.
        var isRepeatable: Bool {
            guard framing == .none, !isRetried else { return false }
            return switch method {
            case .get, .head, .options, .put, .delete: true
            case .post, .patch, .trace, .connect, .other: false
            }
        }
    }

    init(
        client: ExchangeClient, worker: Worker, admission: consuming Admission, record: consuming AccessRecord, tunnel: WebSocketTunnel?
    ) {
        self.client = client
        self.worker = worker
        snapshot = worker.snapshot
        rules = snapshot.rules[admission.route]
        pool = worker.pools[rules.route.upstream]
        progressed = worker.clock.now
        body = BodyDecoder(worker.requestHead.framing, limits: WireLimits())
        request = RequestState(worker.requestHead)
        // What a client sends behind its opening is no further request, whatever the answer.
        if tunnel != nil { request.isLast = true }
        self.tunnel = tunnel
        head = RequestRewriter.rewritten(
            worker.requestHead, admission, rules.route, client.peer, record, upgrades: tunnel != nil)
        caller =
            admission.intent != nil ? .suspending : admission.credential.map { CallerKey($0) } ?? client.peer.caller
        self.admission = admission
        self.record = record
    }

    var route: Route { rules.route }

    /// Starts: an ordinary request asks for a connection, a suspend call reads its body first.
    func begin() {
        record.upstream = route.upstream
        if let intent = admission.intent {
            let call = SuspendCall(exchange: self, intent: intent)
            suspendCall = call
            call.begin()
        } else {
            observer = Observer(admission: admission, snapshot: snapshot)
            if gathersBody { request.isGathering = true } else { lease() }
        }
    }

    /// Whether this is open work of one of the blocked users. The call that suspends is left to finish.
    func isOf(_ blocks: BlockedUsers) -> Bool {
        guard suspendCall == nil, !admission.isObserved, !route.allowsSuspended, let credential = admission.credential,
            let directory = route.directory
        else {
            return false
        }
        guard blocks.contains(credential.user, in: directory) || credential.actors.contains(where: { blocks.contains($0, in: directory) })
        else { return false }
        return snapshot.isSuspended(credential, tenant: admission.selectedTenant, directory: directory)
    }

    /// Ends open work at once: without an answer yet with a refusal, otherwise by breaking off.
    func cut(_ denial: Denial) {
        guard !isEnded else { return }
        if let tunnel, tunnel.isOpen {
            let code: WebSocketCloseCode = denial == .overloaded ? .goingAway : .policyViolation
            return closeTunnel(tunnel, code, reason: "\(denial.code)", ending: .cut(denial))
        }
        abandonUpstream()
        if answer.isBegun {
            record.ending = .cut(denial)
            client?.abort(.withdrawn)
            finish()
        } else {
            refuse(denial, closing: true)
        }
    }

    /// The gateway ends while this is still open: the client is told, and the request gets its line in the log.
    func stop() {
        if let suspendCall { suspendCall.stop() } else { cut(.overloaded) }
    }

    /// The client's connection is gone. A suspend call goes on without it.
    func clientGone() {
        guard !isEnded else { return }
        client = nil
        if suspendCall?.outlivesClient == true { return worker.adopt(self) }
        abandonUpstream()
        if tunnel?.isClosing != true { record.ending = .clientClosed }
        finish()
    }

    /// Refuses after admission: while waiting for a connection or for the upstream's answer.
    func refuse(
        _ denial: Denial, details: Refusal.Details? = nil, retryAfter: Int? = nil, closing: Bool = false, staleFor: Int? = nil,
        rule: String? = nil
    ) {
        guard !isEnded else { return }
        let isLast = closing || request.isLast || !request.isComplete || worker.isDraining
        var refusal = Refusal(
            denial, isHead: request.method == .head, envelope: route.errors,
            rule: rule ?? Refusal.rule(denial, route: admission.route, staleFor: staleFor))
        refusal.details = details
        refusal.cors = admission.cors
        if let retryAfter { refusal.retryAfter = retryAfter }
        record.note(refusal)
        client?.answer(whole: refusal.answer(id: record.id, closing: isLast))
        complete(keepAlive: !isLast)
    }

    /// Ends the exchange with its whole answer written: notes it and gives the connection back.
    func complete(keepAlive: Bool) {
        let client = client
        finish()
        client?.exchangeEnded(keepAlive: keepAlive)
    }

    /// Notes the request and lets go of everything. Called once, by every ending.
    func finish() {
        guard !isEnded else { return }
        isEnded = true
        if request.isLeasing { pool.cancel(self) }
        request.isLeasing = false
        uploadEnded()
        if client == nil { noteClientGone() }
        client = nil
        suspendCall = nil
        worker.note(record, by: snapshot)
    }

    /// What became of a call that went on without its client stands in the ledger; to the log, nobody was answered.
    private func noteClientGone() {
        worker.release(orphan: self)
        record.ending = .clientClosed
        guard suspendCall != nil else { return }
        record.status = 0
        record.bytesOut = 0
    }

    /// Closes the upstream's connection, if there is one: its answer is not wanted any more.
    func abandonUpstream() {
        upstream?.abandon()
        upstream = nil
    }

    /// The gateway takes no new work: an open WebSocket has no end of its own to wait for.
    func drain() {
        if let tunnel, tunnel.isOpen { closeTunnel(tunnel, .goingAway, ending: .cut(.overloaded)) }
    }

    /// Looks at the deadline of the current phase.
    func checkDeadline(now: Int64) {
        guard !isEnded else { return }
        if let credential = admission.credential, !admission.isObserved, !route.outlivesToken,
            worker.clock.unixSeconds >= credential.expires, suspendCall == nil
        {
            return cut(.tokenExpired)
        }
        if let client, isHeldByClient, client.hasTakenBytes() { progressed = now }
        if !sendsInTime(now: now) { return timeOut(.requestTimeout) }
        let still = (now - progressed) / 1_000_000
        if let suspendCall { return suspendCall.checkDeadline(still: still) }
        if let tunnel, tunnel.isOpen {
            let isStuck = isHeldByClient && still > snapshot.limits.idle
            if isStuck || still > snapshot.limits.tunnel { closeTunnel(tunnel, .goingAway, ending: .cut(.requestTimeout)) }
        } else if answer.isBegun {
            if !takesInTime(now: now) { return breakOff() }
            if still > pool.upstream.times.idle || (isHeldByClient && still > snapshot.limits.idle) { breakOff() }
        } else if bodyDemand == .more {
            if still > snapshot.limits.idle { timeOut(.requestTimeout) }
        } else if still > route.timeoutMilliseconds {
            timeOut(request.isLeasing ? .overloaded : .upstreamTimeout)
        }
    }

    private func timeOut(_ denial: Denial) {
        if denial == .upstreamTimeout { upstream?.abandonLate() }
        abandonUpstream()
        refuse(denial, closing: denial == .requestTimeout)
    }

    /// An answer that stalled: whoever was waited for, the client gets no clean end.
    private func breakOff() {
        let isClients = isHeldByClient
        record.ending = isClients ? .clientClosed : .upstreamAborted
        abandonUpstream()
        client?.abort(isClients ? .withdrawn : .broken)
        finish()
    }

    /// Breaks off an answer that the upstream didn't finish.
    func upstreamBrokeOff() {
        record.ending = .upstreamAborted
        client?.abort(.broken)
        finish()
    }

    /// Whether it goes on when the client takes more of the answer.
    var isHeldByClient: Bool { answer.isWhole || client?.isWritable == false }
}
