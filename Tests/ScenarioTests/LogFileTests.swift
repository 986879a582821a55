import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// `log: FILE` while somebody puts the file elsewhere, as logrotate(8) does: no line is lost, none is written twice.
@Suite("the log's file", .serialized, .timed)
struct LogFileTests {
    private static let log = "var/access.log"

    private func stand() throws -> ReloadStand { try ReloadStand { $0.more = ["log: \(Self.log)"] } }

    /// How many lines the files have whose names begin like the log's, each held to be whole and another request's.
    private func lines(_ stand: ReloadStand) throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: stand.folder.path("var")).filter { $0.hasPrefix("access.log") }
        var (count, requests) = (0, Set<String>())
        for name in names {
            for line in stand.folder.read("var/\(name)").split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                requests.insert(try #require(object?["request_id"] as? String))
                count += 1
            }
        }
        #expect(requests.count == count, "no line twice")
        return count
    }

    /// Waits until the log, under its own name, has a line.
    private func waitForNewFile(_ stand: ReloadStand) throws {
        let deadline = Date(timeIntervalSinceNow: 20)
        while stand.folder.read(Self.log).isEmpty {
            try #require(Date() < deadline, "no new file has come")
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    @Test("renamed and told by SIGHUP, again and again under load: every request has its line once")
    func renamed() throws {
        let stand = try stand()
        let clients = LogClients(stand)
        for number in 1...10 {
            try waitForNewFile(stand)
            try stand.folder.rename(Self.log, over: "\(Self.log).\(number)")
            stand.gateway.process.send(signal: SIGHUP)
        }
        try waitForNewFile(stand)
        let answered = clients.stop()
        #expect(stand.gateway.process.terminate() == 0)
        let count = try lines(stand)
        print("log file: \(answered) requests, 10 rotations, \(count) lines")
        #expect(count == answered && answered > 10)
    }

    @Test("renamed or removed without a word: a new file is made within a second or so, and no line of the renamed one is lost")
    func unannounced() throws {
        let stand = try stand()
        let clients = LogClients(stand)
        try waitForNewFile(stand)
        try stand.folder.rename(Self.log, over: "\(Self.log).1")
        try waitForNewFile(stand)
        let answered = clients.stop()
        #expect(stand.gateway.process.terminate() == 0)
        #expect(try lines(stand) == answered)
    }

    @Test("a file that can't be opened anew is told, and the old one written on")
    func refused() throws {
        let stand = try stand()
        #expect(try stand.ask("/v1/things").status == 200)
        try waitForNewFile(stand)
        try stand.folder.rename(Self.log, over: "\(Self.log).1")
        try stand.folder.write("", to: "\(Self.log)/in-the-way")
        stand.gateway.process.send(signal: SIGHUP)
        _ = try stand.gateway.process.waitForLine { $0.contains("the access log can't be opened anew (Is a directory") ? true : nil }
        #expect(try stand.ask("/v1/things").status == 200)
        #expect(stand.gateway.process.terminate() == 0)
        #expect(stand.folder.read("\(Self.log).1").split(separator: "\n").count == 2)
    }

    @Test(
        "logrotate itself, by the example file",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/logrotate"), "logrotate is not installed"))
    func logrotate() throws {
        let stand = try stand()
        let clients = LogClients(stand)
        var text = try String(contentsOf: BuildProducts.repository.appending(path: "config/logrotate"), encoding: .utf8)
        let signal = try #require(text.firstMatch(of: /systemctl kill .*/)).output
        text = text.replacing(signal, with: "kill -HUP \(stand.gateway.process.identifier)")
        text = text.replacing("/var/log/tenantgate/", with: stand.folder.path("var") + "/")
        // The test's own user has no account of that name.
        text = text.replacing(/\n *su .*/, with: "")
        let file = try stand.folder.write(text, to: "logrotate")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: stand.folder.path("var"))
        for _ in 0..<3 {
            try waitForNewFile(stand)
            let run = try ChildProcess.run(
                "/usr/sbin/logrotate", ["--force", "--state", stand.folder.path("state"), file], in: stand.folder)
            #expect(run.status == 0, "\(run.errors)")
        }
        try waitForNewFile(stand)
        let answered = clients.stop()
        #expect(stand.gateway.process.terminate() == 0)
        let packed = try FileManager.default.contentsOfDirectory(atPath: stand.folder.path("var")).filter { $0.hasSuffix(".gz") }
        #expect(packed.count == 2, "all but the newest")
        _ = try ChildProcess.run("gunzip", packed.map { stand.folder.path("var/\($0)") }, in: stand.folder)
        #expect(try lines(stand) == answered)
    }
}

/// Clients that ask until they are told to stop.
private final class LogClients: Sendable {
    private let threads = Mutex<[TestThread]>([])
    private let answered = Atomic(0)
    private let isOver = Atomic(false)

    init(_ stand: ReloadStand) {
        let text = stand.get("/v1/things")
        for _ in 0..<3 {
            let thread = TestThread { [self] in
                guard let client = try? stand.gateway.client() else { return }
                while !isOver.load(ordering: .relaxed), (try? client.exchange(text))?.status == 200 { answered.add(1, ordering: .relaxed) }
                client.stream.close()
            }
            threads.withLock { $0.append(thread) }
        }
    }

    /// How many answers they have read.
    func stop() -> Int {
        isOver.store(true, ordering: .relaxed)
        for thread in threads.withLock({ $0 }) { thread.wait() }
        return answered.load(ordering: .relaxed)
    }
}
