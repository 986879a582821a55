import Policy
import Testing

@testable import ControlPlane

@Suite("Dialect files")
struct DialectFileTests {
    private func read(_ text: String) -> (dialect: Dialect?, problems: [Problem]) {
        let workspace = FileWorkspace()
        workspace.write("dialect.yaml", text)
        let (dialect, problems) = DialectFile.read(path: "\(workspace.folder)/dialect.yaml")
        return (dialect, problems)
    }

    @Test("JITSudo's says what the specification says")
    func jitsudo() throws {
        let dialect = try #require(read(FileWorkspace.repository("config/dialects/jitsudo.yaml")).dialect)
        #expect(dialect.name == "jitsudo")
        #expect(dialect.tenant == .required)
        #expect(dialect.tenantFormat == .uuid)
        #expect(dialect.reach == .tenant)
        #expect(dialect.errors == .flat)
        #expect(dialect.idFormat == .uuid)
        #expect(dialect.user?.id == JSONPointer("/id"))
        #expect(dialect.user?.suspended == JSONPointer("/active"))
        #expect(dialect.user?.test == .boolean(suspended: false))
        #expect(dialect.calls.map(\.text) == ["POST /v1/users/{user}/suspend", "GET /v1/users/{user}"])
        #expect(dialect.calls[0].intent == .field(JSONPointer("/active")!, suspend: false))
        #expect(dialect.calls[1].intent == nil)
    }

    @Test("Rinne's says what the specification says")
    func rinne() throws {
        let dialect = try #require(read(FileWorkspace.repository("config/dialects/rinne.yaml")).dialect)
        #expect(dialect.tenant == .optional)
        #expect(dialect.tenantFormat == .string)
        #expect(dialect.reach == .directory)
        #expect(dialect.errors == .nested)
        #expect(dialect.user?.test == .dateTime)
        #expect(dialect.calls.map(\.intent) == [.suspend, .activate, nil, nil])
        #expect(dialect.calls[3].answers == .list(items: JSONPointer("/data")!, more: JSONPointer("/pagination/hasNext"), page: "page"))
    }

    @Test("a call that answers nothing may say by `means` what its 2xx stands for")
    func means() throws {
        let text = FileWorkspace.repository("config/dialects/rinne.yaml").replacing(
            "answers: user, intent: suspend", with: "answers: nothing, intent: suspend, means: suspended")
        #expect(try #require(read(text).dialect).calls[0].means == .state(.suspended))
    }

    @Test("a call may name its user in the request's body, and mean what that asks for")
    func request() throws {
        let text = FileWorkspace.repository("config/dialects/rinne.yaml").replacing(
            "/users/{user}/suspend\", answers: user, intent: suspend",
            with: "/state\", answers: nothing, intent: {field: /on, suspend: false}, request: /user/id, means: asked")
        let call = try #require(read(text).dialect).calls[0]
        #expect(call.request == JSONPointer("/user/id") && call.means == .asked)
    }

    @Test("aliases need the user objects that they are read from")
    func aliasesWithoutUser() {
        let text = """
            name: x
            tenant: none
            tenant_format: string
            reach: directory
            errors: flat
            id_format: string
            aliases: {email: {field: /email, if: always}}
            """
        let (dialect, problems) = read(text)
        #expect(dialect == nil && problems.map(\.message) == ["aliases are read from user objects, which the dialect doesn't describe"])
    }

    @Test(
        "each mistake in a dialect is told at its place in the dialect's file",
        arguments: [
            ("tenant: optional", "tenant: sometimes", 3, 9, "expected one of"),
            ("name: rinne", "nam: rinne", 2, 1, "unknown key `nam`"),
            ("name: rinne", "name: rinne\naliases: {email: {if: always}}", 3, 18, "`field` is missing"),
            ("name: rinne", "name: rinne\naliases: {email: {field: /email}}", 3, 18, "`if` is missing"),
            ("name: rinne", "name: rinne\naliases: {email: {field: /e, if: never}}", 3, 34, "expected a JSON Pointer"),
            ("name: rinne", "name: rinne\naliases: {email: {field: /e, if: always, fold: unicode}}", 3, 48, "expected `case`"),
            (
                "name: rinne", "name: rinne\naliases: {email: {field: /e, if: always, search: {call: \"GET /users?email=\"}}}", 3, 57,
                "expected"
            ),
            (
                "name: rinne", "name: rinne\naliases: {email: {field: /e, if: always, search: {call: \"POST /users?email={alias}\"}}}", 3,
                57,
                "expected"
            ),
            ("reach: directory\n", "", 2, 1, "`reach` is missing"),
            ("{id: /id,", "{id: id,", 8, 12, "expected a JSON Pointer"),
            ("is: date-time", "is: date", 8, 55, "expected true, false or date-time"),
            ("POST /core/v1/users/{user}/activate", "post /core/v1/users/{user}/activate", 11, 12, "expected a method in upper case"),
            ("POST /core/v1/users/{user}/activate", "POST core/v1/users/{user}/activate", 11, 12, "is not a path pattern"),
            ("POST /core/v1/users/{user}/activate", "POST /core/v1/users/{id}/activate", 11, 6, "needs the user's id in its path"),
            ("POST /core/v1/users/{user}/activate", "POST /core/v1/users/{user}/suspend", 11, 6, "is described twice, first on line 10"),
            (", items: /data", "", 13, 5, "a list needs `items`"),
            (", page: page", "", 13, 34, "`more` and `page` belong together"),
            ("answers: user, intent: suspend", "answers: nothing, intent: suspend", 10, 50, "could never be confirmed"),
            ("answers: user, intent: suspend", "answers: user, intent: block", 10, 73, "expected one of"),
            ("answers: user, intent: suspend", "answers: user, intent: {field: /a}", 10, 73, "`suspend` is missing"),
            ("answers: user, intent: suspend", "answers: user, means: gone, intent: suspend", 10, 72, "expected one of"),
            (
                "/users/{user}/suspend\", answers: user, intent: suspend", "/suspend\", answers: user, intent: suspend, request: id", 10,
                78,
                "expected a JSON Pointer"
            ),
            ("answers: user, intent: suspend", "answers: user, intent: suspend, request: /id", 10, 82, "the path names the user already"),
            ("GET /core/v1/users\",", "GET /core/v1/users\", request: /id,", 13, 34, "only the bodies of calls with an intent are read"),
            ("answers: user, intent: suspend", "answers: user, means: active, intent: suspend", 10, 65, "could never be confirmed"),
            ("answers: user, intent: activate", "answers: user, means: asked, intent: activate", 11, 66, "no field of the request"),
            (
                "answers: user, intent: suspend", "answers: user, means: suspended, intent: {field: /a, suspend: true}", 10, 65,
                "the request's body decides"
            ),
            (
                "GET /core/v1/users/{user}\", answers: user", "GET /core/v1/users/{user}\", answers: user, items: /a", 12, 5,
                "`items` is for `answers: list`"
            ),
        ])
    func mistake(from: String, to: String, line: Int, column: Int, says: String) throws {
        let text = FileWorkspace.repository("config/dialects/rinne.yaml")
        try #require(text.contains(from))
        let (dialect, problems) = read(text.replacing(from, with: to, maxReplacements: 1))
        #expect(dialect == nil)
        #expect(problems.count == 1, "\(CheckReport.problems(problems))")
        let problem = try #require(problems.first)
        #expect(problem.message.contains(says), "\(problem.text)")
        #expect((problem.place.line, problem.place.column) == (line, column), "\(problem.text)")
        #expect(problem.place.file.hasSuffix("/dialect.yaml"))
    }

    @Test("the gateway's file tells a dialect's problems under the dialect's name, once for two directories")
    func toldInTheFile() {
        let workspace = FileWorkspace()
        workspace.write(
            "dialects/rinne.yaml", FileWorkspace.repository("config/dialects/rinne.yaml").replacing("reach: directory", with: "reach: far"))
        let text = goodFile.replacing("  rinne: {dialect", with: "  other: {dialect: dialects/rinne.yaml}\n  rinne: {dialect")
        let problems = workspace.check(text).problems
        #expect(problems.map(\.place.file) == ["\(workspace.folder)/dialects/rinne.yaml"])
    }
}
