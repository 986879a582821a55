import Foundation
import Testing
import TestSupport

/// Only power loss would show a missing fsync, so the kernel's side of it is counted.
@Suite("what reaches the disk")
struct FsyncCountTests {
    private static let strace = URL(filePath: "/usr/bin/strace")

    @Test(
        "every acknowledged transaction has been synced, and by one fsync",
        .enabled(if: FileManager.default.isExecutableFile(atPath: strace.path), "strace is not installed"))
    func syncs() throws {
        let folder = try TemporaryFolder()
        let few = try count(folder, commits: 10)
        let many = try count(folder, commits: 60)
        // Opening, closing and checkpoints sync too, the same in both runs.
        #expect(many - few == 50, "60 transactions took \(many) syncs, 10 took \(few)")
    }

    /// Syncs of the ledger's -wal by a process that commits so many times.
    private func count(_ folder: TemporaryFolder, commits: Int) throws -> Int {
        let trace = folder.path("trace-\(commits)")
        let program = try BuildProducts.program("suspension-benchmark")
        let process = Process()
        process.executableURL = Self.strace
        process.arguments =
            [
                "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, program.path, "commit", folder.path("ledger-\(commits)"),
                "\(commits)",
            ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").filter { $0.contains("-wal>") }.count
    }
}
