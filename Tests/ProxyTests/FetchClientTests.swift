import Dispatch
import NIOCore
import Policy
import Synchronization
import TLS
import TestSupport
import Testing

@testable import Proxy

/// Real connections to real servers on the loopback.
@Suite("fetches") struct FetchClientTests {
    private let client: FetchClient
    private let names = SilentNames()

    init() throws {
        client = try FetchClient(resolver: NameResolver { [names] in names.addresses(of: $0, port: $1) })
    }

    /// Fetches and waits for what it comes to.
    private func fetch(_ url: String, trusting authorities: String? = nil, timeout: Int64 = 10_000) throws -> Result<
        FetchedDocument, FetchFailure
    > {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<FetchedDocument, FetchFailure>?>(nil)
        let url = try FetchURL(url)
        client.get(url, tls: url.isSecure ? try TLSClientContext(authorities: authorities) : nil, timeout: timeout) { result in
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return outcome.withLock { $0! }
    }

    private func failure(_ url: String, trusting authorities: String? = nil, timeout: Int64 = 10_000) throws -> FetchFailure? {
        if case .failure(let failure) = try fetch(url, trusting: authorities, timeout: timeout) { failure } else { nil }
    }

    @Test("one GET on a connection of its own, in TLS and on the loopback without")
    func get() throws {
        let plain = try RecordingUpstream { _ in [.json("plain")] }
        #expect(try fetch("http://localhost:\(plain.port)/keys?v=1").get().body == Array("plain".utf8))
        let request = try #require(plain.takeRequests().first)
        #expect(request.method == "GET" && request.target == "/keys?v=1" && request.field("host") == "localhost:\(plain.port)")
        #expect(request.field("connection") == "close" && request.field("accept-encoding") == "identity" && request.body.isEmpty)
        let certificate = try TestCertificate.gateway.get()
        let secure = try RecordingUpstream(certificate: certificate) { _ in [.json("secure"), .close] }
        for host in ["localhost", "127.0.0.1"] {
            #expect(try fetch("https://\(host):\(secure.port)/", trusting: certificate.chainFile).get().body == Array("secure".utf8))
        }
        client.end()
    }

    @Test("a large answer comes whole")
    func large() throws {
        let certificate = try TestCertificate.gateway.get()
        let text = String(repeating: "0123456789abcdef", count: 65_536)
        let server = try RecordingUpstream(certificate: certificate) { _ in [.text("HTTP/1.1 200 OK\r\n\r\n\(text)"), .close] }
        #expect(try fetch("https://localhost:\(server.port)/", trusting: certificate.chainFile).get().body == Array(text.utf8))
        client.end()
    }

    @Test("each way to fail is named")
    func failures() throws {
        let certificate = try TestCertificate.gateway.get()
        let other = try TestCertificate(["DNS:other.test"])
        let server = try RecordingUpstream(certificate: certificate)
        let otherServer = try RecordingUpstream(certificate: other)
        let plain = try RecordingUpstream()
        let gone = try RecordingUpstream()
        gone.stop()
        #expect(try failure("https://nowhere.invalid/")?.cause == .dns)
        #expect(try failure("http://127.0.0.1:\(gone.port)/")?.cause == .connect)
        #expect(try failure("https://127.0.0.1:\(gone.port)/")?.description.contains("Connection refused") == true)
        #expect(try failure("https://localhost:\(server.port)/")?.cause == .certificate)
        #expect(try failure("https://localhost:\(server.port)/", trusting: other.chainFile)?.cause == .certificate)
        #expect(try failure("https://localhost:\(otherServer.port)/", trusting: other.chainFile)?.cause == .hostName)
        #expect(try failure("https://localhost:\(plain.port)/", timeout: 2000) != nil)
        plain.answer { _ in [.close] }
        #expect(try failure("http://127.0.0.1:\(plain.port)/")?.cause == .http)
        plain.answer { _ in [.reset] }
        #expect(try failure("http://127.0.0.1:\(plain.port)/")?.cause == .http)
        server.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), .close] }
        #expect(try failure("https://localhost:\(server.port)/", trusting: certificate.chainFile)?.cause == .http)
        client.end()
    }

    @Test("what never ends is given up in time, wherever it hangs")
    func slow() throws {
        let certificate = try TestCertificate.gateway.get()
        let server = try RecordingUpstream(certificate: certificate) { _ in [.hang] }
        #expect(
            try failure("https://localhost:\(server.port)/", trusting: certificate.chainFile, timeout: 300)?.description
                == "timeout: the answer took longer than 300 ms")
        // A byte now and then doesn't make it longer.
        server.answer { _ in [.text("HTTP/1.1 200 OK\r\n\r\n")] + (0..<100).flatMap { _ in [.text("x"), .wait(seconds: 0.05)] } }
        #expect(try failure("https://localhost:\(server.port)/", trusting: certificate.chainFile, timeout: 300)?.cause == .timeout)
        let plain = try RecordingUpstream { _ in [.hang] }
        #expect(try failure("http://127.0.0.1:\(plain.port)/", timeout: 300)?.cause == .timeout)
        client.end()
    }

    @Test("hundreds of fetches from a server that accepts and doesn't answer hold up nobody else's")
    func neighbours() throws {
        let (mute, good) = (try RecordingUpstream { _ in [.hang] }, try RecordingUpstream { _ in [.json("good")] })
        for number in 0..<200 {
            client.get(try FetchURL("http://127.0.0.1:\(mute.port)/\(number)"), tls: nil, timeout: 20_000) { _ in }
        }
        let start = ContinuousClock.now
        #expect(try fetch("http://127.0.0.1:\(good.port)/", timeout: 30_000).get().body == Array("good".utf8))
        #expect(ContinuousClock.now - start < .seconds(10))
        client.end()
    }

    @Test("names that nobody answers for: the cause is dns, and who was found before is reached all the same")
    func silentNames() throws {
        defer { names.answer() }
        let server = try RecordingUpstream { _ in [.json("good")] }
        #expect(try fetch("http://localhost:\(server.port)/").get().body == Array("good".utf8))
        let secure = try TLSClientContext(authorities: nil)
        for number in 0..<NameLookups.threads {
            client.get(try FetchURL("https://dead\(number).test/"), tls: secure, timeout: 60_000) { _ in }
        }
        for _ in 0..<NameLookups.threads { names.asked.wait() }
        #expect(
            try failure("https://dead0.test/", timeout: 300)?.description
                == "dns: finding the address of dead0.test took longer than 300 ms")
        // No thread is left to look it up again.
        #expect(try fetch("http://localhost:\(server.port)/", timeout: 6000).get().body == Array("good".utf8))
        // An address needs none.
        #expect(try fetch("http://127.0.0.1:\(server.port)/", timeout: 6000).get().body == Array("good".utf8))
        client.end()
    }

    @Test("https without authorities to trust is not fetched at all")
    func noAuthorities() throws {
        let server = try RecordingUpstream(certificate: try TestCertificate.gateway.get())
        let done = DispatchSemaphore(value: 0)
        let cause = Mutex<FetchFailure.Cause?>(nil)
        client.get(try FetchURL("https://localhost:\(server.port)/"), tls: nil, timeout: 10_000) { result in
            if case .failure(let failure) = result { cause.withLock { $0 = failure.cause } }
            done.signal()
        }
        done.wait()
        #expect(cause.withLock { $0 } == .certificate && server.received == 0)
        client.end()
    }

    @Test("more fetches than may be under way wait their turn")
    func many() throws {
        let server = try RecordingUpstream()
        let count = Limits.fetchesAtOnce * 3
        let done = DispatchSemaphore(value: 0)
        let good = Atomic(0)
        for _ in 0..<count {
            client.get(try FetchURL("http://127.0.0.1:\(server.port)/"), tls: nil, timeout: 30_000) { result in
                if case .success = result { good.add(1, ordering: .relaxed) }
                done.signal()
            }
        }
        for _ in 0..<count { done.wait() }
        #expect(good.load(ordering: .relaxed) == count && server.received == count)
        client.end()
    }
}

/// The system's names, and `dead*.test`, for which nobody answers until `answer`.
private final class SilentNames: Sendable {
    let asked = DispatchSemaphore(value: 0)
    private let isOver = DispatchSemaphore(value: 0)

    func addresses(of host: String, port: Int) -> [SocketAddress] {
        guard host.hasPrefix("dead") else {
            return (try? SocketAddress.makeAddressResolvingHost(host, port: port)).map { [$0] } ?? []
        }
        asked.signal()
        isOver.wait()
        isOver.signal()
        return []
    }

    func answer() { isOver.signal() }
}

/// Requests to a service's servers, as the file says how to reach them.
@Suite("questions to servers") struct ServerQuestionTests {
    private let client: FetchClient

    init() throws { client = try FetchClient() }

    private func upstream(_ server: Upstream.Server, _ tls: UpstreamTLS? = nil) -> Upstream {
        Upstream(
            name: "users", servers: [server], base: [], tls: tls, times: .init(connect: 1000, idle: 1000, keepAlive: 1000),
            bounds: .init(connections: 1, waiting: 1), ejection: .off, circuit: .off, health: nil)
    }

    private func ask(_ upstream: Upstream, limit: Int = 1000) throws -> Result<FetchedDocument, FetchFailure> {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<FetchedDocument, FetchFailure>?>(nil)
        client.ask(
            upstream.servers[0], of: upstream, target: "/v1/users/7?a=b", fields: [("X-API-Key", "k")], timeout: 10_000, limit: limit
        ) { result in
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return outcome.withLock { $0! }
    }

    @Test("any whole answer counts, with its status and what it is of; the question carries the fields given")
    func answers() throws {
        let server = try RecordingUpstream { _ in [.json("{}", status: "404 Not Found", fields: "Content-Encoding: br\r\n")] }
        let answer = try ask(upstream(.network(host: "localhost", port: server.port))).get()
        #expect(answer.status == 404 && answer.body == Array("{}".utf8))
        #expect(answer.contentType == Array("application/json".utf8) && answer.contentEncoding == Array("br".utf8))
        let request = try #require(server.takeRequests().first)
        #expect(request.target == "/v1/users/7?a=b" && request.field("x-api-key") == "k")
        #expect(request.field("host") == "localhost:\(server.port)")
        #expect(request.field("connection") == "close" && request.field("accept") == "application/json")
        client.end()
    }

    @Test("TLS is verified by the upstream's own settings: its authorities, and the name that it says")
    func tls() throws {
        let certificate = try TestCertificate.gateway.get()
        let server = try RecordingUpstream(certificate: certificate) { _ in [.json("{}")] }
        let context = try TLSClientContext(authorities: certificate.chainFile)
        let place = Upstream.Server.network(host: "127.0.0.1", port: server.port)
        #expect(try ask(upstream(place, UpstreamTLS(context: context, name: "localhost"))).get().status == 200)
        guard case .failure(let failure) = try ask(upstream(place, UpstreamTLS(context: context, name: "other.example"))) else {
            Issue.record("a certificate for another name is taken")
            return
        }
        #expect(failure.cause == .hostName)
        client.end()
    }

    @Test("what is cut off, too long or not there is a failure")
    func failures() throws {
        let cut = try RecordingUpstream { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .close] }
        let long = try RecordingUpstream { _ in [.json(String(repeating: " ", count: 1001))] }
        let chunked = try RecordingUpstream { _ in
            [.text("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n\(String(repeating: " ", count: 1001))\r\n0\r\n\r\n")]
        }
        func cause(_ port: Int) throws -> FetchFailure.Cause? {
            if case .failure(let failure) = try ask(upstream(.network(host: "127.0.0.1", port: port))) { failure.cause } else { nil }
        }
        #expect(try cause(cut.port) == .http)
        #expect(try cause(long.port) == .tooLarge)
        #expect(try cause(chunked.port) == .tooLarge)
        cut.stop()
        #expect(try cause(cut.port) == .connect)
        client.end()
    }
}
