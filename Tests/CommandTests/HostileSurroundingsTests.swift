import Foundation
import Glibc
import TestSupport
import Testing

/// What the machine may do to the program: a stream that can't be written, a pipe in the place of a file, memory that is used again.
@Suite("hostile surroundings")
struct HostileSurroundingsTests {
    @Test("a stream that can't be written loses the text and nothing else", arguments: ["2>/dev/full", "2>&-"])
    func deafStream(redirection: String) throws {
        let gate = try Tenantgate()
        let program = try BuildProducts.program("tenantgate").path
        let outcome = try ChildProcess.run(
            "bash", ["-c", "'\(program)' check --config /no/such/file \(redirection)"], in: gate.folder)
        #expect(outcome.status == 1)
    }

    @Test("a gateway whose standard error nobody reads any more goes on, and ends as it should")
    func readerGone() throws {
        let gate = try Tenantgate()
        let program = try BuildProducts.program("tenantgate").path
        let file = try gate.writeFile()
        let script = """
            '\(program)' serve --config '\(file)' 2> >(head -n 1 > '\(gate.folder.path("ready"))') & gate=$!
            until [ -s '\(gate.folder.path("ready"))' ]; do sleep 0.02; done
            for _ in $(seq 50); do kill -HUP $gate || exit 3; sleep 0.02; done
            kill -TERM $gate && wait $gate
            """
        let outcome = try ChildProcess.run("bash", ["-c", script], in: gate.folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("a pipe in the place of a file is a problem of the file, not one to wait for", arguments: ["secrets/jitsudo", "tls/gateway.pem"])
    func pipe(name: String) throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile()
        let path = gate.folder.url.appending(path: name).path
        let isPipe = unsafe unlink(path) == 0 && mkfifo(path, 0o600) == 0
        try #require(isPipe)
        let outcome = try gate.run("check", "--config", file)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("is not a file"))
    }

    /// The optimiser frees what nobody seems to need, so only the program as it is released shows it: `.ci/run` builds and names it.
    @Test(
        "valgrind sees nothing read that was freed while certificates and keys are loaded",
        .enabled(if: Self.released != nil, "TENANTGATE_RELEASE names no program"))
    func freedMemory() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile()
        // RSA: its PEM takes several kilobytes, which are used again at once.
        let made = try ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", gate.folder.url.appending(path: "tls/gateway.key").path, "-out",
                gate.folder.url.appending(path: "tls/gateway.pem").path, "-days", "30", "-subj", "/CN=gw", "-addext",
                "subjectAltName=DNS:gateway.test",
            ], in: gate.folder)
        try #require(made.status == 0, "\(made.errors)")
        let copy = gate.folder.url.appending(path: "released").path
        // Valgrind's reader of debug information stumbles over Swift's.
        _ = try ChildProcess.run("strip", ["--strip-debug", "-o", copy, try #require(Self.released)], in: gate.folder)
        let outcome = try ChildProcess.run(
            "valgrind", ["--error-exitcode=99", "--undef-value-errors=no", copy, "check", "--config", file], in: gate.folder)
        #expect(outcome.status == 0, "\(outcome.errors.suffix(4000))")
        #expect(outcome.errors.contains("ERROR SUMMARY: 0 errors"))
    }

    private static let released = ProcessInfo.processInfo.environment["TENANTGATE_RELEASE"]
}
