import Glibc
import HTTPWire
import NIOCore
import Policy
import TLS

/// One health check: a connection, one GET, and whether a 2xx comes in time. Loop-bound.
///
/// Ends in one call of `completion` with what is wrong, or nil; never before `start` has returned, and after `cancel` in none.
final class HealthProbe {
    private let upstream: Upstream
    private let server: Upstream.Server
    private let rules: HealthRules
    private unowned let worker: Worker
    private let sessions: Sessions
    private let deadline: Int64
    private var connector: Connector?
    private var connection: HealthConnection?
    private var completion: ((String?) -> Void)?

    typealias Sessions = TLSClientSessions

    init(
        _ upstream: Upstream, server: Upstream.Server, _ rules: HealthRules, worker: Worker, sessions: Sessions,
        completion: @escaping (String?) -> Void
    ) {
        self.upstream = upstream
        self.server = server
        self.rules = rules
        self.worker = worker
        self.sessions = sessions
        self.completion = completion
        deadline = SocketLoop.now + rules.timeout * 1_000_000
    }

    func start() {
        let connector = Connector(on: worker.loop, deadline: deadline) { [weak self] descriptor in
            if let self { connected(descriptor) } else if let descriptor { close(descriptor) }
        }
        self.connector = connector
        connector.start(server, server.address, names: worker.gateway.names)
    }

    func checkDeadline(now: Int64) {
        connector?.checkDeadline(now: now)
        if now > deadline, completion != nil { end("no answer within \(UpstreamNews.seconds(rules.timeout))") }
    }

    func cancel() {
        completion = nil
        connector?.cancel()
        connector = nil
        connection?.abandon()
        connection = nil
    }

    private func connected(_ descriptor: CInt?) {
        guard let descriptor else { return end((connector?.failure ?? .timedOut).description) }
        connector = nil
        var tls: TLSConnection?
        if let settings = upstream.tls {
            tls = TLSConnection(
                client: settings.context, to: settings.identity(of: server), records: worker.records, resuming: sessions)
            guard tls != nil else {
                _ = close(descriptor)
                return end(ConnectFailure.noMemory.description)
            }
        }
        let connection = HealthConnection(descriptor, probe: self, tls: tls, worker: worker)
        guard connection.isOpen else { return end(ConnectFailure.noMemory.description) }
        self.connection = connection
        connection.begin()
    }

    /// The request, with the upstream's base before the path.
    var request: ByteBuffer {
        ByteBuffer(
            string: "GET \(String(decoding: upstream.base, as: UTF8.self))\(rules.path) HTTP/1.1\r\nHost: \(server.authority)\r\n"
                + "User-Agent: tenantgate-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n")
    }

    /// For the connection too; without effect the second time.
    func end(_ problem: String?) {
        guard let completion else { return }
        cancel()
        completion(problem)
    }
}

/// The connection of a health check.
final class HealthConnection: StreamSocket {
    private let probe: HealthProbe
    private let worker: Worker
    private let tls: TLSConnection?
    private var input = ByteBuffer()
    private var parser = ResponseParser(limits: WireLimits(head: Limits.fetchedHead))
    private var head = ResponseHead()
    private var isDone = false

    init(_ descriptor: CInt, probe: HealthProbe, tls: TLSConnection?, worker: Worker) {
        self.probe = probe
        self.tls = tls
        self.worker = worker
        super.init(descriptor, on: worker.loop)
    }

    func begin() {
        guard let tls else {
            put(probe.request)
            return flush()
        }
        let news = tls.begin()
        send(worker.records)
        if let error = news.error { end("TLS: \(error)") }
    }

    /// Ends it; the probe hears nothing more.
    func abandon() {
        isDone = true
        tls?.close(all: true)
        send(worker.records)
        close()
    }

    override func readable() {
        switch unsafe receive(into: loop.received) {
        case .none: return
        case .failure, .end: end("the connection ended before an answer")
        case .bytes(let count): unsafe took(UnsafeRawBufferPointer(rebasing: loop.received[..<count]))
        }
    }

    override func closed() { end("the connection ended before an answer") }

    private func took(_ bytes: UnsafeRawBufferPointer) {
        guard let tls else {
            unsafe input.writeBytes(bytes)
            return read()
        }
        let news = unsafe tls.receive(bytes, into: &input, isWritable: isWritable)
        send(worker.records)
        if news.completed != nil {
            let error = tls.write(probe.request) ?? tls.flush()
            send(worker.records)
            if let error { return end("TLS: \(error)") }
        }
        read()
        if let error = news.error { end("TLS: \(error)") } else if news.closed { end("the connection ended before an answer") }
    }

    /// The head is enough: what follows is not waited for.
    private func read() {
        while !isDone {
            switch parser.parse(&input, into: &head, answering: .get) {
            case .needMore: return
            case .failed: end("what came is no answer")
            case .complete:
                if head.isInterim { continue }
                end((200...299).contains(head.status) ? nil : "status \(head.status)")
            }
        }
    }

    private func end(_ problem: String?) {
        guard !isDone else { return }
        isDone = true
        probe.end(problem)
    }
}
