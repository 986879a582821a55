import Glibc
import HTTP2
import HTTPWire
import NIOCore
import Policy
import Suspensions
import TLS
import Tokens

/// One event loop's share of the gateway: its connections, pools, remembered tokens, clock and log.
///
/// Nothing here is shared: every property is touched on `loop` alone, so the request path needs no lock.
final class Worker {
    let loop: SocketLoop
    private(set) var snapshot: Snapshot
    let clock = LoopClock()
    private var gatekeeper: Gatekeeper
    unowned let gateway: Gateway
    var ids = RequestIDSource()
    var traces = TraceSource()
    private var log: AccessLog?
    let pools = UpstreamPools()
    /// The health checks of all loops: the first loop's alone has any.
    let checks = HealthChecks()
    let metrics: LoopMetrics
    /// When suspensions that the upstream has confirmed were, until every loop has seen the block.
    var confirmedSuspensions: [Subject: Int64] = [:]
    /// Requests that wait for somebody to say whom their token means.
    private var aliasQuestions = 0
    /// Heads are parsed into these and used up before the next event.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    private(set) var isDraining = false
    /// It does what is to be done once for all loops.
    private let isFirst: Bool

    /// Open client connections; each knows its place.
    private(set) var connections: [ClientConnection] = []
    /// Connections of proxies that have not said yet whom they are for.
    var preambles: [ObjectIdentifier: ProxyPreamble] = [:]
    /// Suspend calls whose client has gone: they are finished all the same.
    private(set) var orphans: [Exchange] = []

    /// What TLS reads from and makes, what it has decrypted, and what an upstream has sent: used up before the next event.
    let records = TLSRecords()
    var plaintext = ByteBuffer()
    var answer = ByteBuffer()
    /// What HTTP/2 sessions have made: used up before the next one is called.
    let http2 = HTTP2Scratch()
    /// Bytes read from an upstream at a time.
    static let answerSize = 128 * 1024

    /// This loop's listeners.
    private var listeners: [Listener] = []

    /// Deadlines are looked at every so many ticks.
    private static let sweepEvery = 2
    private var tickCount = 0

    init(loop: SocketLoop, gateway: Gateway, snapshot: Snapshot, log: LogWriter?, tenants: TenantNames?, isFirst: Bool) {
        self.loop = loop
        self.isFirst = isFirst
        self.gateway = gateway
        self.snapshot = snapshot
        gatekeeper = Gatekeeper(snapshot: snapshot)
        self.log = log.map { AccessLog(writer: $0) }
        metrics = LoopMetrics(snapshot: snapshot, tenants: tenants)
        pools.take(snapshot.upstreams, worker: self)
    }

    // MARK: connections

    /// Accepts at a listening socket from now on, for all loops.
    func listen(_ listener: BoundListener, tls: TLSContext?, proxyProtocol: Bool) {
        let gateway = gateway
        let door = Door(listener: listener.id, tls: tls, proxyProtocol: proxyProtocol)
        listeners.append(
            Listener(
                listener.descriptor, on: loop, door: door, file: listener.file, hasRoom: { gateway.admissions.hasRoom },
                accepted: gateway.accepted))
    }

    /// Takes an accepted connection.
    func accept(_ descriptor: CInt, _ address: SocketAddress?, _ door: Door) {
        if door.proxyProtocol { return acceptProxied(descriptor, address, door) }
        let peer = Peer(address, trusted: snapshot.trustedProxies, isTLS: door.tls != nil)
        guard gateway.admissions.settle(peer.admitted) else {
            metrics.connectionsRefused += 1
            _ = Glibc.close(descriptor)
            return
        }
        clock.read()
        begin(descriptor, peer, door, since: clock.now)
    }

    /// Begins a client's connection that was counted in; `accepted` is when TCP stood, on the loop's clock.
    func begin(_ descriptor: CInt, _ peer: Peer, _ door: Door, since accepted: Int64) {
        metrics.connectionsAccepted += 1
        let connection = ClientConnection(descriptor, worker: self, peer: peer, door: door)
        guard connection.isOpen else { return gateway.admissions.leave(peer.admitted) }
        if door.tls != nil { connection.deadline -= clock.now - accepted }
        add(connection)
        if isDraining { connection.drain() }
    }

    private func add(_ connection: ClientConnection) {
        connection.place = connections.count
        connections.append(connection)
    }

    func remove(_ connection: ClientConnection) {
        gateway.admissions.leave(connection.peer.admitted)
        let last = connections.removeLast()
        guard last !== connection else { return }
        connections[connection.place] = last
        last.place = connection.place
    }

    func adopt(_ orphan: Exchange) { orphans.append(orphan) }

    func release(orphan: Exchange) { orphans.removeAll { $0 === orphan } }

    // MARK: requests

    /// Judges the request whose head is in `requestHead`.
    func admit(peer: Peer, found: inout Findings) throws(Denial) -> Admission {
        try gatekeeper.admit(requestHead, peer: peer, now: clock.unixSeconds, found: &found)
    }

    /// Asks whom an alias means, and goes on with the answer on this loop. Too many at once are told so at once.
    func ask(_ alias: AliasCase, then next: @escaping (AliasCase) -> Void) {
        guard aliasQuestions < Limits.aliasWaiters else {
            alias.answer = AliasAnswer(verdict: .unavailable, generation: 0)
            return next(alias)
        }
        aliasQuestions += 1
        let bound = LoopBound((self, alias, next), loop)
        snapshot.suspensions.aliases.find(alias.question) { answer in
            bound.execute { worker, alias, next in
                worker.aliasQuestions -= 1
                guard alias.answer == nil else { return }
                alias.answer = answer
                worker.clock.read()
                next(alias)
            }
        }
    }

    /// The answer to the CORS preflight in `requestHead`; nil where it is another request.
    func preflight(peer: Peer, found: inout Findings) -> Preflight? { gatekeeper.preflight(requestHead, peer: peer, found: &found) }

    /// These fetched keys are in force from now on.
    func use(_ keys: KeyTable) { gatekeeper.use(keys) }

    /// What is noted of the request in `requestHead` from its beginning, at `started` (the loop's clock).
    func record(from peer: Peer, started: Int64) -> AccessRecord {
        var record = AccessRecord(id: requestID(from: peer), trace: traces.trace(of: requestHead), started: started)
        record.method = requestHead.withBytes(requestHead.methodRange) { MethodName($0) }
        return record
    }

    /// The id of the request in `requestHead`: a trusted proxy's, or one of our own.
    func requestID(from peer: Peer) -> RequestID {
        var id = ids.next()
        if peer.isTrusted, let field = requestHead.message.first(.xRequestID), !field.isVariantSpelling {
            id.given = requestHead.withBytes(field.value) { RequestID.isAcceptable($0) ? Array($0) : nil }
        }
        return id
    }

    /// Counts a request that has ended and writes it into the log; `snapshot` is the one that it was judged by.
    func note(_ record: borrowing AccessRecord, by snapshot: Snapshot) {
        metrics.count(record, snapshot: snapshot, now: clock.now)
        log?.write(record, snapshot: snapshot, now: clock.now, unix: clock.unixMilliseconds)
    }

    // MARK: events

    /// Ends the open work of users who were just blocked (SPEC §4, "What happens to the user").
    func cut(_ blocks: BlockedUsers) {
        clock.read()
        for connection in Array(connections) {
            if let exchange = connection.exchange, exchange.isOf(blocks) { exchange.cut(.userSuspended) }
            if let streams = connection.http2 {
                for exchange in streams.exchanges where exchange.isOf(blocks) { exchange.cut(.userSuspended) }
            }
        }
    }

    /// Judges and forwards by `next` from now on. What is in progress goes on as it was admitted; connections stay.
    func take(_ next: Snapshot) {
        snapshot = next
        gatekeeper.take(next)
        pools.take(next.upstreams, worker: self)
        metrics.adopt(next)
        for connection in connections { connection.rulesChanged() }
    }

    /// Puts changes of this loop's listeners in force. Returns whose connections are to drain.
    func take(_ changes: ListenerChanges) -> Set<RetiredDoor> {
        var retired = Set(changes.removed.flatMap { [RetiredDoor(listener: $0, isTLS: true), RetiredDoor(listener: $0, isTLS: false)] })
        for (listener, tls, proxied) in changes.opened { listen(listener, tls: tls, proxyProtocol: proxied) }
        for (id, tls, proxied) in changes.changed {
            guard let listener = listeners.first(where: { $0.door.listener == id }) else { continue }
            let wasTLS = listener.door.tls != nil
            if wasTLS != (tls != nil) { retired.insert(RetiredDoor(listener: id, isTLS: wasTLS)) }
            // Whom a handshake let in by other rules is to shake hands anew.
            if let tls, let before = listener.door.tls, !tls.asksClients(as: before) {
                retired.insert(RetiredDoor(listener: id, isTLS: true))
            }
            listener.door = Door(listener: id, tls: tls, proxyProtocol: proxied)
        }
        for listener in listeners where changes.removed.contains(listener.door.listener) { listener.finish() }
        listeners.removeAll { !$0.isOpen }
        return retired
    }

    /// Connections of listeners that are gone: idle ones close, busy ones close after their answer.
    func retire(_ doors: Set<RetiredDoor>) {
        clock.read()
        for connection in Array(connections) {
            if doors.contains(RetiredDoor(listener: connection.listener, isTLS: connection.tls != nil)) { connection.retire() }
        }
    }

    /// Every loop refuses these users now.
    func blockedEverywhere(_ blocks: [Subject]) {
        for block in blocks {
            guard let confirmed = confirmedSuspensions.removeValue(forKey: block) else { continue }
            metrics.blocked(after: SocketLoop.now - confirmed)
        }
    }

    /// What this loop has counted, and how it stands.
    var figures: LoopFigures {
        var figures = metrics.figures
        figures.connectionsOpen = connections.count
        figures.tokens = gatekeeper.tokenFigures
        figures.pools = pools.figures
        return figures
    }

    /// Leaves new connections in the kernel's queue, or goes on taking them.
    func pauseAccepting(_ isPaused: Bool) {
        for listener in listeners { listener.pause(isPaused) }
    }

    /// Another process accepts at these sockets from now on; nobody at the others, but for who stands in their queues.
    func leaveListeners(_ taken: Set<ListenerID>) {
        for listener in listeners { taken.contains(listener.door.listener) ? listener.leave() : listener.finish() }
        listeners = []
    }

    /// No new connections, but for those that stand in the kernel's queue.
    func closeListeners() {
        for listener in listeners { listener.finish() }
        listeners = []
    }

    /// No new work: every connection's next answer is its last, and idle ones close soon.
    func drain() {
        isDraining = true
        clock.read()
        for connection in Array(connections) { connection.drain() }
        // Their clients are there already, and are let through.
        for preamble in preambles.values { preamble.deadline = min(preamble.deadline, clock.now + 1_000_000_000) }
    }

    /// How much is still going on.
    var openWork: Int { connections.count + orphans.count + preambles.count }

    /// Ends everything at once: whoever still waits is told, and every request gets its line in the log.
    func stop() {
        clock.read()
        for preamble in Array(preambles.values) { preamble.close() }
        for connection in Array(connections) { connection.stop() }
        for orphan in Array(orphans) { orphan.stop() }
        pools.stop()
        checks.stop()
        log?.flush()
    }

    /// Called by the loop ten times a second: looks at deadlines and hands log lines over.
    func tick() {
        clock.correct()
        log?.flush()
        for listener in listeners { listener.resume() }
        checks.tick(now: clock.now)
        tickCount += 1
        guard tickCount % Self.sweepEvery == 0 else { return }
        for connection in Array(connections) { connection.checkDeadline(now: clock.now) }
        for preamble in Array(preambles.values) { preamble.checkDeadline(now: clock.now) }
        for orphan in Array(orphans) { orphan.checkDeadline(now: clock.now) }
        pools.sweep(now: clock.now)
        if isFirst { gateway.names.refresh(now: clock.now) }
    }
}
