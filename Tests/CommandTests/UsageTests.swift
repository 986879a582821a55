import Testing

/// Help, versions and exit codes: 0 done, 1 refused or failed, 2 wrong usage.
@Suite("Usage")
struct UsageTests {
    private static let commands = [
        [], ["serve"], ["check"], ["demo"], ["token"], ["explain"], ["dialect"], ["dialect", "test"], ["suspensions"],
        ["suspensions", "list"],
        ["suspensions", "add"], ["suspensions", "lift"], ["suspensions", "import"], ["suspensions", "export"], ["suspensions", "log"],
        ["suspensions", "verify"],
    ]

    @Test("every command has help, on standard output, with exit code 0", arguments: commands)
    func help(_ command: [String]) throws {
        let outcome = try Tenantgate().run(command + ["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("USAGE: " + (["tenantgate"] + command).joined(separator: " ")))
        #expect(outcome.errors.isEmpty)
    }

    @Test("--version names this program, OpenSSL, libjwt, nghttp2 and SQLite")
    func version() throws {
        let outcome = try Tenantgate().run("--version")
        #expect(outcome.status == 0)
        let names = outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
        #expect(names == ["tenantgate", "OpenSSL", "libjwt", "nghttp2", "SQLite"])
        #expect(!outcome.output.contains("unknown"))
    }

    private static let wrong: [[String]] = [
        ["nonsense"], ["serve"], ["check", "--config"], ["check", "--file", "x"], ["demo", "--port", "70000"], ["token"],
        ["token", "--secret-file", "a", "--key", "b"], ["token", "--secret-file", "/dev/null", "--alg", "HS265"],
        ["token", "--key", "/dev/null"], ["token", "--secret-file", "/dev/null", "--claim", "nothing"],
        ["token", "--secret-file", "/dev/null", "--expires-in", "tomorrow"], ["explain", "--config", "x"], ["dialect", "test"],
        ["suspensions", "list"], ["suspensions", "list", "--ledger", "ledger.db"], ["suspensions", "reconcile"],
    ]

    @Test("wrong usage ends with 2 and says on standard error what is right", arguments: wrong)
    func wrongUsage(_ arguments: [String]) throws {
        let outcome = try Tenantgate().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
    }

    private static let failing: [[String]] = [
        ["serve", "--config", "/nowhere.yaml"], ["check", "--config", "/nowhere.yaml"], ["token", "--secret-file", "/nowhere"],
        ["token", "--secret-file", "/dev/null"], ["explain", "--config", "/nowhere.yaml", "--method", "GET", "--path", "/"],
        ["dialect", "test", "/nowhere.yaml", "--call", "GET /", "--answer", "/dev/null"],
        ["suspensions", "list", "--ledger", "sqlite:/nowhere/ledger.db"],
    ]

    @Test("what can't be done ends with 1 and names the file", arguments: failing)
    func failure(_ arguments: [String]) throws {
        let outcome = try Tenantgate().run(arguments)
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("/nowhere") || outcome.errors.contains("/dev/null"))
    }
}
