import Foundation
import TestSupport

/// The gateway under valgrind's callgrind, which counts every instruction that it executes.
final class Valgrind {
    let port: Int
    private let process: ChildProcess
    private let counts: URL

    static var isThere: Bool { ["/usr/bin/valgrind", "/usr/bin/strip"].allSatisfy(FileManager.default.isExecutableFile) }

    /// Starts `tenantgate serve` on the file and waits until it listens.
    init(serving file: String, in folder: TemporaryFolder) throws {
        // Valgrind's reader of debug information stumbles over Swift's: it is given a copy without.
        let program = folder.url.appending(path: "tenantgate")
        let stripped = try ChildProcess.run(
            "strip", ["--strip-debug", "-o", program.path, BuildProducts.program("tenantgate").path], in: folder)
        guard stripped.status == 0 else { throw ValgrindFailed(text: stripped.errors) }
        counts = folder.url.appending(path: "callgrind.out")
        process = try ChildProcess(
            URL(filePath: "/usr/bin/valgrind"),
            ["--tool=callgrind", "--callgrind-out-file=\(counts.path)", program.path, "serve", "--config", file], in: folder,
            name: "valgrind", environment: ["SWIFT_BACKTRACE": "enable=no"])
        port = try process.waitForLine(seconds: 180) { line in
            guard line.hasPrefix("listening on 127.0.0.1:") else { return nil }
            return Int(line.dropFirst("listening on 127.0.0.1:".count).prefix { $0.isNumber })
        }
    }

    /// Ends the gateway in order and reads what was counted.
    func instructions() throws -> Int {
        process.terminate()
        let text = try String(contentsOf: counts, encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("summary:") || $0.hasPrefix("totals:") }
        guard let total = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw ValgrindFailed(text: process.errorText)
        }
        return total
    }
}

/// Valgrind did not do its job: what it said.
struct ValgrindFailed: Error {
    let text: String
}
