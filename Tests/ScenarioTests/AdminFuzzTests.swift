import Foundation
import TestSupport
import Testing

/// The admin API as its own OpenAPI document has it tried out by somebody else's program.
@Suite(
    "the admin API, fuzzed from its document", .serialized, .timed, .enabled(if: Fuzzer.isThere, "schemathesis is not installed"))
struct AdminFuzzTests {
    /// Of trying, 25 or what `TENANTGATE_FUZZ_SECONDS` says; starting and reporting come on top.
    private static let seconds = ProcessInfo.processInfo.environment["TENANTGATE_FUZZ_SECONDS"].flatMap { Int($0) } ?? 25

    @Test("no 5xx, nothing that the document doesn't describe, nothing wrong that is taken")
    func conforms() throws {
        let world = try World { $0.admin = true }
        let start = Date()
        let run = try ChildProcess.run(
            try #require(Provider.python).path,
            [
                BuildProducts.repository.appending(path: "Tests/Providers/fuzz.py").path,
                BuildProducts.repository.appending(path: "config/admin-api.json").path,
                "http://127.0.0.1:\(try world.gateway.adminPort())", TestAdmin.operatorToken, "\(Self.seconds)",
            ], in: world.folder)
        let cases = run.output.split(separator: "\n").first { $0.contains(" generated, ") } ?? "no case"
        print("admin API fuzzed in \(Int(Date().timeIntervalSince(start))) s:\(cases)")
        #expect(run.status == 0, "\(run.output.suffix(8000)) \(run.errors.suffix(2000))")
        let count = cases.split(separator: " ").first.flatMap { Int($0) } ?? 0
        #expect(count >= 300, "too few to mean anything: \(run.output.suffix(2000))")
        #expect(try world.gateway.admin("GET", "/api/status").json?["ready"] as? Bool == true)
        #expect(world.gateway.process.isRunning)
    }
}

private enum Fuzzer {
    static let isThere: Bool = {
        guard let python = Provider.python, let folder = try? TemporaryFolder() else { return false }
        return (try? ChildProcess.run(python.path, ["-c", "import schemathesis"], in: folder).status) == 0
    }()
}
