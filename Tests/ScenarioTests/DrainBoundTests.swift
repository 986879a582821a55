import Foundation
import Glibc
import TestSupport
import Testing

/// Whatever hangs, SIGTERM ends the process: within `timeouts` where the gateway can go on without it, and 10 s later by force.
@Suite("the end is bounded", .serialized, .timed)
struct DrainBoundTests {
    private static let timeouts = "timeouts: {drain: 1s}"

    private func makePipe(_ path: String) throws { try #require(unsafe mkfifo(path, 0o600) == 0) }

    private func terminate(_ gateway: Gateway) -> (status: Int32?, seconds: Double) {
        let start = Date()
        gateway.process.send(signal: SIGTERM)
        return (gateway.process.waitForExit(seconds: 30), Date().timeIntervalSince(start))
    }

    @Test("a log that nobody reads any more: lines are given up, and it exits with 0")
    func stuckLog() throws {
        var reader: Int32 = -1
        defer { _ = close(reader) }
        let stand = try ReloadStand {
            $0.more = ["log: var/log.pipe", Self.timeouts]
        } prepare: { folder in
            try folder.write("", to: "var/.keep")
            try makePipe(folder.path("var/log.pipe"))
            reader = unsafe open(folder.path("var/log.pipe"), O_RDONLY | O_NONBLOCK)
        }
        // More lines than a pipe holds.
        let client = try stand.gateway.client()
        let requests = 400
        try client.stream.send(Array(String(repeating: request("GET", "/v1/things"), count: requests).utf8))
        for _ in 0..<requests { #expect(try client.answer(to: "GET").status == 401) }
        let end = terminate(stand.gateway)
        #expect(end.status == 0 && end.seconds < 10, "\(end)")
        #expect(stand.gateway.process.errorText.hasSuffix("broken off\n"))
    }

    @Test("a pipe in the place of a secret is refused at the reload, and holds up neither requests nor the end")
    func pipeForFile() throws {
        let stand = try ReloadStand { $0.more = [Self.timeouts] }
        let secret = stand.folder.path("secrets/jitsudo")
        try FileManager.default.removeItem(atPath: secret)
        try makePipe(secret)
        _ = try stand.gateway.process.waitForErrors { $0.contains("secrets/jitsudo is not a file") ? true : nil }
        #expect(try stand.ask("/v1/things").status == 200)
        let end = terminate(stand.gateway)
        #expect(end.status == 0 && end.seconds < 8, "\(end)")
        #expect(stand.gateway.process.errorText.hasSuffix("\nstopped\n"))
    }

    @Test("a disk that hangs: it ends by force after the bound", .enabled(if: HungDisk.canBe))
    func stuckDisk() throws {
        let world = try World { $0.more = [Self.timeouts] }
        let disk = try HungDisk(under: world)
        let start = Date()
        world.gateway.process.send(signal: SIGTERM)
        _ = try world.gateway.process.waitForLine { $0.hasPrefix("stopped by force: ") ? true : nil }
        let seconds = Date().timeIntervalSince(start)
        #expect(seconds > 10 && seconds < 20)
        #expect(disk.exitStatus() == 1)
    }

    @Test("a disk that hangs: it ends at once on a second signal", .enabled(if: HungDisk.canBe))
    func second() throws {
        let world = try World { $0.more = [Self.timeouts] }
        let disk = try HungDisk(under: world)
        world.gateway.process.send(signal: SIGTERM)
        _ = try world.gateway.process.waitForLine { $0.hasPrefix("draining: ") ? true : nil }
        let start = Date()
        world.gateway.process.send(signal: SIGTERM)
        #expect(disk.exitStatus() == 130)
        #expect(Date().timeIntervalSince(start) < 5)
    }
}
