import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// SIGTERM: readiness off, a delay, no new connections, every connection's next answer its last, exit 0.
@Suite("drain", .serialized, .timed)
struct DrainTests {
    @Test("SIGTERM under load fails no request, and the gateway exits with 0", arguments: ["0s", "1s"])
    func underLoad(_ delay: String) throws {
        let world = try World { $0.more = ["probes: {address: 127.0.0.1:0}", "timeouts: {drain_delay: \(delay)}"] }
        let load = Load(gateway: world.gateway, clients: 8)
        Thread.sleep(forTimeInterval: 0.5)
        world.gateway.process.send(signal: SIGTERM)
        load.isEnding.store(true, ordering: .relaxed)
        if delay != "0s" {
            Thread.sleep(forTimeInterval: 0.3)
            let ready = try world.gateway.probe("/readyz")
            #expect(ready.status == 503)
            #expect(ready.text.hasPrefix("not ready: draining\n"))
            #expect(try world.gateway.probe("/healthz").status == 200)
            #expect(try world.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken)).status == 404, "new ones are served")
        }
        load.wait()
        #expect(world.gateway.process.waitForExit(seconds: 60) == 0)
        #expect(world.gateway.process.errorText.hasSuffix("\nstopped\n"), "nothing had to be broken off")
        let outcome = load.outcome
        print("drain after \(delay): \(outcome.answered) answered, \(outcome.closed) last answers, \(outcome.failures.count) failed")
        #expect(outcome.failures.isEmpty, "\(outcome.failures)")
        #expect(outcome.answered > 20)
        #expect(outcome.closed >= 8, "each client was told that its connection closes")
        #expect(world.gateway.accessLog.count >= outcome.answered, "every request has its line")
    }

    @Test("curl, too, loses nothing: what it can't connect to any more it was told to leave")
    func curl() throws {
        let world = try World()
        let (folder, output) = (world.folder, world.folder.path("curl.txt"))
        let arguments = [
            "--silent", "--http1.1", "--fail-early", "--cacert", folder.path("tls/gateway.pem"), "--output", "/dev/null", "--write-out",
            "%{stderr}%{http_code} %{exitcode}\\n", "https://localhost:\(world.gateway.port)/healthz?[1-100000]",
        ]
        let child = TestThread {
            let result = try? ChildProcess.run("curl", arguments, in: folder)
            try? result?.errors.write(toFile: output, atomically: true, encoding: .utf8)
        }
        Thread.sleep(forTimeInterval: 1)
        #expect(world.gateway.process.terminate() == 0)
        child.wait()
        let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
        #expect(lines.count > 10)
        #expect(lines.dropLast().allSatisfy { $0 == "200 0" })
        #expect(lines.last == "000 7", "the end is a connection that was refused")
    }

    @Test("an idle connection is left a moment for a request that is on its way, then closed cleanly")
    func idle() throws {
        let world = try World()
        let (busy, idle) = (try world.gateway.client(), try world.gateway.client())
        for client in [busy, idle] { #expect(try client.exchange(request("GET", "/healthz")).status == 200) }
        world.gateway.process.send(signal: SIGTERM)
        Thread.sleep(forTimeInterval: 0.3)
        let last = try busy.exchange(request("GET", "/healthz"))
        #expect(last.status == 200)
        #expect(last.endsConnection)
        #expect(try idle.end(within: 5) == true)
    }

    @Test("a second signal ends at once")
    func second() throws {
        let world = try World { $0.more = ["timeouts: {drain_delay: 5m}"] }
        world.gateway.process.send(signal: SIGTERM)
        _ = try world.gateway.process.waitForLine { $0.hasPrefix("draining: ") ? true : nil }
        #expect(world.gateway.process.isRunning)
        let start = Date()
        world.gateway.process.send(signal: SIGTERM)
        #expect(world.gateway.process.waitForExit(seconds: 10) == 130)
        #expect(Date().timeIntervalSince(start) < 2)
    }
}

/// Clients that send one request after the other, and connect anew when they are told that a connection closes.
private final class Load: Sendable {
    struct Outcome {
        var answered = 0
        /// Answers that said `Connection: close`.
        var closed = 0
        /// Requests that were sent and not answered whole.
        var failures: [String] = []
    }

    /// Connections may be refused from now on.
    let isEnding = Atomic<Bool>(false)
    private let state = Mutex(Outcome())
    private let threads = Mutex<[TestThread]>([])

    init(gateway: Gateway, clients: Int) {
        for _ in 0..<clients {
            let thread = TestThread { [self] in run(port: gateway.port) }
            threads.withLock { $0.append(thread) }
        }
    }

    var outcome: Outcome { state.withLock { $0 } }

    func wait() { for thread in threads.withLock({ $0 }) { thread.wait() } }

    private func run(port: Int) {
        let own = Dialect.jitsudo.call("GET", "/users/\(Dialect.jitsudo.member)", token: Dialect.jitsudo.memberToken)
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline {
            guard let client = try? WireClient.tls(port: port) else {
                if !isEnding.load(ordering: .relaxed) { fail("not connected before the end") }
                return
            }
            defer { client.stream.close() }
            while Date() < deadline {
                guard let answer = try? client.exchange(own), answer.status == 200, !answer.isCut else {
                    return fail("a request without its answer")
                }
                state.withLock { state in
                    state.answered += 1
                    if answer.endsConnection { state.closed += 1 }
                }
                if answer.endsConnection { break }
            }
        }
        fail("the gateway did not end")
    }

    private func fail(_ what: String) { state.withLock { $0.failures.append(what) } }
}
