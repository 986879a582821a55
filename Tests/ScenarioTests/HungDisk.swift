import Foundation
import Glibc
import TestSupport
import Testing

/// Has every sync of a gateway's ledger take two minutes, and a suspend call begin that syncs.
final class HungDisk {
    static var canBe: Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") && geteuid() == 0 }

    private let tracer: ChildProcess
    private let gateway: Gateway
    private let client: WireClient

    init(under world: World) throws {
        gateway = world.gateway
        let (syncs, trace) = ("fsync,fdatasync", world.folder.path("syncs"))
        tracer = try ChildProcess(
            URL(filePath: "/usr/bin/strace"),
            [
                "-f", "-p", "\(gateway.process.identifier)", "-e", "trace=\(syncs)", "-e", "inject=\(syncs):delay_enter=120000000", "-o",
                trace,
            ], in: world.folder, name: "strace")
        _ = try tracer.waitForLine { $0.contains(" attached") ? true : nil }
        client = try gateway.client()
        try client.stream.send(Array(Dialect.rinne.setActive(false, Dialect.rinne.member).utf8))
        let deadline = Date(timeIntervalSinceNow: 20)
        while !world.folder.read("syncs").contains("sync(") {
            try #require(Date() < deadline, "nothing was synced")
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    deinit { tracer.kill() }

    /// Lets go of the disk: what waited for it goes on.
    func release() { tracer.kill() }

    /// Waits until the gateway's main thread has ended, then lets go of the one that hangs, which its tracer keeps from ending, too.
    func exitStatus() -> Int32? {
        let deadline = Date(timeIntervalSinceNow: 20)
        let file = "/proc/\(gateway.process.identifier)/stat"
        while let stat = try? String(contentsOfFile: file, encoding: .utf8), !stat.contains(") Z "), Date() < deadline {
            Thread.sleep(forTimeInterval: 0.01)
        }
        tracer.kill()
        return gateway.process.waitForExit(seconds: 20)
    }
}
