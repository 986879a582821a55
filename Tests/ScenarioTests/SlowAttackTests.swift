import Foundation
import Synchronization
import TestSupport
import Testing

/// Debian's slowhttptest in its four modes, 2,000 connections each, while ordinary clients are served: `TENANTGATE_SLOWHTTPTEST=1 swift test
/// --disable-xctest --filter SlowAttack`. It takes two minutes. Prints what ordinary clients and the gateway's process went through.
@Suite(
    "slowhttptest", .serialized, .timed,
    .enabled(
        if: ProcessInfo.processInfo.environment["TENANTGATE_SLOWHTTPTEST"] == "1", "it takes two minutes: set TENANTGATE_SLOWHTTPTEST=1"))
struct SlowAttackTests {
    struct Mode: Sendable, CustomTestStringConvertible {
        let name: String
        let path: String
        let arguments: [String]
        var testDescription: String { name }
    }

    private static let connections = 2000

    static let modes = [
        Mode(name: "slow headers (slowloris)", path: "/v1/auth/page", arguments: ["-H", "-i", "5", "-x", "24"]),
        Mode(name: "slow body, refused", path: "/v1/page", arguments: ["-B", "-i", "5", "-s", "8192", "-x", "10"]),
        Mode(name: "slow body, public route", path: "/v1/auth/login", arguments: ["-B", "-i", "5", "-s", "8192", "-x", "10"]),
        Mode(name: "ranges", path: "/v1/auth/page", arguments: ["-R", "-a", "5", "-b", "3000", "-t", "HEAD"]),
        Mode(
            name: "slow reading", path: "/v1/auth/large",
            arguments: ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"]),
    ]

    /// What ordinary clients went through.
    private struct Served: Sendable {
        var times: [Double] = []
        var failures: [String] = []
    }

    @Test("ordinary clients are served throughout", arguments: modes)
    func attack(mode: Mode) throws {
        let bench = try Bench { $0.more = ["limits: {connections_per_source: 6000}"] }
        let large = String(repeating: "x", count: 256 * 1024)
        bench.upstream.answer { request in [.json(request.target.hasSuffix("large") ? large : "{}")] }
        let folder = try TemporaryFolder()
        let isOver = Mutex(false)
        let served = Mutex(Served())
        let clients = (0..<4).map { _ in
            TestThread { while !isOver.withLock({ $0 }) { Self.ask(bench, served) } }
        }
        let process = bench.gateway.process
        let (cpu, begun) = (process.cpuSeconds, Date())
        let attack = try ChildProcess(
            URL(filePath: "/usr/bin/slowhttptest"),
            mode.arguments + [
                "-c", "\(Self.connections)", "-r", "400", "-l", "20", "-p", "5", "-u",
                "https://127.0.0.1:\(bench.gateway.port)\(mode.path)",
            ], in: folder, name: "slowhttptest")
        var (memory, open) = (0, 0)
        while attack.isRunning, Date().timeIntervalSince(begun) < 60 {
            memory = max(memory, process.residentMemory)
            open = max(open, process.descriptorCount)
            Thread.sleep(forTimeInterval: 0.05)
        }
        let seconds = Date().timeIntervalSince(begun)
        attack.kill()
        isOver.withLock { $0 = true }
        for client in clients { client.wait() }
        let (times, failures) = served.withLock { ($0.times.sorted(), $0.failures) }
        func percentile(_ share: Double) -> Int {
            times.isEmpty ? -1 : Int(1000 * times[min(times.count - 1, Int(Double(times.count) * share))])
        }
        print(
            "\(mode.name): \(Int(seconds)) s, up to \(open) descriptors; ordinary requests \(times.count), failed \(failures.count) "
                + "\(Set(failures)), p50 \(percentile(0.5)) ms, p99 \(percentile(0.99)) ms, longest \(percentile(1)) ms; gateway: "
                + "\(Int(100 * (process.cpuSeconds - cpu) / seconds)) % of a core, at most \(memory / 1024) MiB")
        #expect(failures.isEmpty)
        #expect(times.count > 100)
        #expect(percentile(0.99) < 2000)
        #expect(memory / 1024 < 400, "what is kept of large answers, and all else")
    }

    /// One request on a connection of its own, timed.
    private static func ask(_ bench: Bench, _ served: borrowing Mutex<Served>) {
        let begun = Date()
        do {
            let answer = try bench.ask(Array(GoodRequest.target("/v1/page").utf8))
            served.withLock { served in
                if answer.status == 200 {
                    served.times.append(Date().timeIntervalSince(begun))
                } else {
                    served.failures.append("\(answer.status)")
                }
            }
        } catch {
            served.withLock { $0.failures.append("\(error)") }
        }
    }
}
