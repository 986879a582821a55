import Policy
import Suspensions
import Testing

@testable import ControlPlane

/// `service_tokens`, `reconcile` and `late_commits` of a directory.
@Suite("service tokens")
struct ServiceTokenTests {
    private static let jitsudo = "jitsudo: {dialect: dialects/jitsudo.yaml}"
    private static let acme = "a1a1a1a1-0000-4000-8000-00000000ace1"

    private static func file(_ keys: String, in directory: String = "rinne") -> String {
        let dialect = "\(directory): {dialect: dialects/\(directory).yaml"
        return goodFile.replacing(dialect + "}", with: "\(dialect), \(keys)}")
    }

    private func workspace(_ token: String = "token-of-the-gateway\n") -> FileWorkspace {
        let workspace = FileWorkspace()
        workspace.write("secrets/service", token, mode: 0o600)
        return workspace
    }

    @Test("what is left out has the defaults of the reference; a token is in no description")
    func defaults() throws {
        let checked = workspace().check(Self.file("service_tokens: [{file: secrets/service}]"))
        #expect(checked.problems == [])
        let service = try #require(checked.configuration?.directories[1].service)
        #expect(service.tokens.map(\.value) == ["Bearer token-of-the-gateway"] && service.tokens.map(\.header) == ["Authorization"])
        #expect(service.reconcileMilliseconds == 900_000 && service.lateSeconds == 60)
        #expect(!"\(service)\(String(reflecting: service.tokens))\(service.tokens)".contains("token-of-the-gateway"))
        var dumped = ""
        dump(checked.configuration, to: &dumped)
        #expect(!dumped.contains("token-of-the-gateway"))
        #expect(checked.configuration?.directories[0].service == nil)
        let off = workspace().check(Self.file("service_tokens: [{file: secrets/service}], reconcile: off, late_commits: 5m"))
        #expect(off.configuration?.directories[1].service?.reconcileMilliseconds == nil)
        #expect(off.configuration?.directories[1].service?.lateSeconds == 300)
    }

    static let mistakes: [(keys: String, directory: String, token: String, says: String)] = [
        ("service_tokens: [{file: secrets/none}]", "rinne", "t", "the file"),
        ("service_tokens: [{}]", "rinne", "t", "`file` is missing"),
        ("service_tokens: [{file: secrets/service}]", "rinne", "\n", "is empty"),
        ("service_tokens: [{file: secrets/service}]", "rinne", "Bearer abc\n", "holds more than one token"),
        ("service_tokens: [{file: secrets/service}]", "rinne", "a\nb\n", "holds more than one token"),
        ("service_tokens: [{file: secrets/service}]", "rinne", String(repeating: "x", count: 65_537), "is longer than 65536 bytes"),
        ("service_tokens: [{file: secrets/service, header: Host}]", "rinne", "t", "expected a header name"),
        ("service_tokens: [{file: secrets/service, tenant: acme}]", "jitsudo", "t", "`acme` is no tenant id"),
        (
            "service_tokens: [{file: secrets/service}, {file: secrets/service}]", "rinne", "t",
            "there is another token for the same users"
        ),
        (
            "service_tokens: [{file: secrets/service, tenant: \(acme)}, {file: secrets/service, tenant: \(acme.uppercased())}]", "jitsudo",
            "t", "there is another token for the same users"
        ),
        ("reconcile: {every: 5m}", "rinne", "t", "`reconcile` without `service_tokens`"),
        ("late_commits: 5m", "rinne", "t", "`late_commits` without `service_tokens`"),
        ("service_tokens: [{file: secrets/service}], reconcile: {every: 1ms}", "rinne", "t", "1ms is out of bounds"),
        ("service_tokens: [{file: secrets/service}], late_commits: 2h", "rinne", "t", "2h is out of bounds"),
    ]

    @Test("mistakes are told", arguments: mistakes)
    func mistake(keys: String, directory: String, token: String, says: String) {
        let checked = workspace(token).check(Self.file(keys, in: directory))
        #expect(checked.configuration == nil)
        #expect(checked.problems.contains { $0.message.contains(says) && $0.place.line > 1 }, "\(CheckReport.problems(checked.problems))")
        #expect(!CheckReport.problems(checked.problems).contains("Bearer abc"))
    }

    @Test("a dialect without a call that reads one user, none at all, or no upstream: there is nobody to read from")
    func nobodyToRead() {
        let keys = "service_tokens: [{file: secrets/service}]"
        let workspace = workspace()
        let read = #"  - {call: "GET /core/v1/users/{user}", answers: user}"#
        workspace.write("dialects/rinne.yaml", FileWorkspace.repository("config/dialects/rinne.yaml").replacing(read, with: ""))
        #expect(workspace.check(Self.file(keys)).problems.map(\.message) == ["the dialect `rinne` has no call that reads one user"])
        let bare = goodFile.replacing("rinne: {dialect: dialects/rinne.yaml}", with: "rinne: {\(keys)}")
        #expect(self.workspace().check(bare).problems.contains { $0.message == "without a dialect nobody knows how to read a user" })
        let lonely = Self.file(keys).replacing(#"["http://127.0.0.1:9102"], directory: rinne}"#, with: #"["http://127.0.0.1:9102"]}"#)
        #expect(
            self.workspace().check(lonely).problems.contains {
                $0.message == "no upstream serves the directory `rinne`: there is nobody to read its users from"
            })
    }

    @Test("total and query are for lists, and a query is one")
    func dialectKeys() {
        let rinne = FileWorkspace.repository("config/dialects/rinne.yaml")
        for (to, says) in [("query: \"?limit=1\"", "is no query"), ("query: \"a b\"", "is no query"), ("query: \"a#b\"", "is no query")] {
            let read = DialectFile.read(Array(rinne.replacing("query: limit=100", with: to).utf8), path: "rinne.yaml")
            #expect(read.problems.map(\.message).contains { $0.contains(says) }, "\(to)")
        }
        let user = rinne.replacing(#"users/{user}", answers: user}"#, with: #"users/{user}", answers: user, total: /n}"#)
        #expect(DialectFile.read(Array(user.utf8), path: "r").problems.contains { $0.message == "`total` is for `answers: list`" })
    }
}

/// What is asked for, and by which credential.
@Suite("service desks")
struct ServiceDeskTests {
    private func desk(_ keys: String, _ directory: Int) throws -> ServiceDesk {
        let workspace = FileWorkspace()
        for name in ["all", "acme", "globex"] { workspace.write("secrets/\(name)", "\(name)-token\n", mode: 0o600) }
        let name = ["jitsudo", "rinne"][directory]
        let dialect = "\(name): {dialect: dialects/\(name).yaml"
        let text = goodFile.replacing(dialect + "}", with: "\(dialect), \(keys)}")
        let configuration = try #require(workspace.check(text).configuration)
        var maker = UpstreamMaker()
        return try #require(ServiceDesk(directory, of: configuration, try configuration.upstreams.map { try maker.make($0) }))
    }

    private func subject(_ directory: Int, _ tenant: String?, _ user: String, _ format: IDFormat) throws -> Subject {
        let tenant = tenant.flatMap { TenantID(Array($0.utf8).span, format: format) }
        let user = UserID(Array(user.utf8).span, format: format)
        return Subject(directory: directory, tenant: tenant?.id, user: try #require(user))
    }

    private static let acme = "a1a1a1a1-0000-4000-8000-00000000ace1"
    private static let globex = "b2b2b2b2-0000-4000-8000-0000000b10b2"
    private static let user = "0b000000-0000-4000-8000-000000000002"

    @Test("a tenant's token reads that tenant's users with its X-Tenant-ID as the file spells it; the one for all reads the others")
    func tenants() throws {
        let acme = Self.acme.uppercased()
        let desk = try desk("service_tokens: [{file: secrets/all, header: X-API-Key}, {tenant: \(acme), file: secrets/acme}]", 0)
        let known = try subject(0, Self.acme, Self.user, .uuid)
        #expect(desk.credentials(for: known) == [1, 0])
        let request = try #require(desk.request(for: known, by: 1))
        #expect(request.target == "/v1/users/\(Self.user)")
        #expect(request.fields.map { "\($0.name): \($0.value)" } == ["Authorization: Bearer acme-token", "X-Tenant-ID: \(acme)"])
        let other = try subject(0, Self.globex, Self.user, .uuid)
        #expect(desk.credentials(for: other) == [0])
        let fields = desk.request(for: other, by: 0)?.fields.map { "\($0.name): \($0.value)" }
        #expect(fields == ["X-API-Key: all-token", "X-Tenant-ID: \(Self.globex)"])
        #expect(desk.lists.isEmpty)
    }

    @Test("without a token for all, users of other tenants are not read")
    func none() throws {
        let desk = try desk("service_tokens: [{tenant: \(Self.acme), file: secrets/acme}]", 0)
        #expect(desk.credentials(for: try subject(0, Self.globex, Self.user, .uuid)) == [])
    }

    @Test("where a suspension reaches all tenants, the token for all lists and reads; or else each tenant's in turn")
    func directory() throws {
        let both = try desk("service_tokens: [{tenant: acme, file: secrets/acme}, {file: secrets/all}]", 1)
        let anna = try subject(1, nil, "a/b c%é", .string)
        #expect(both.credentials(for: anna) == [1] && both.lists.map(\.credential) == [1])
        #expect(both.request(for: anna, by: 1)?.target == "/core/v1/users/a%2Fb%20c%25%C3%A9")
        #expect(both.request(for: anna, by: 1)?.fields.map(\.name) == ["Authorization"])
        let list = try #require(both.lists.first)
        #expect(list.hasPages && list.tenant == nil)
        #expect(both.request(forPage: 3, of: list)?.target == "/core/v1/users?limit=100&page=3")
        let each = try desk("service_tokens: [{tenant: acme, file: secrets/acme}, {tenant: globex, file: secrets/globex}]", 1)
        #expect(each.credentials(for: anna) == [0, 1] && each.lists.map(\.credential) == [0, 1])
        #expect(each.request(forPage: 1, of: each.lists[1])?.fields.map(\.value) == ["Bearer globex-token", "globex"])
    }

    @Test("an id that would be a step in a path is not asked for")
    func steps() throws {
        let desk = try desk("service_tokens: [{file: secrets/all}]", 1)
        for id in [".", ".."] { #expect(desk.request(for: try subject(1, nil, id, .string), by: 0) == nil) }
        #expect(desk.request(for: try subject(1, nil, "...", .string), by: 0)?.target == "/core/v1/users/...")
    }
}
