import ArgumentParser
import ControlPlane

struct DialectGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dialect", abstract: "Work on dialect files, which say how a user service speaks about its users.",
        subcommands: [DialectTest.self])
}

struct DialectTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Say what an answer of the user service would teach, and why not.",
        discussion: """
            Exit code 0: it teaches what the call is there for; 1: it doesn't. For example:

              tenantgate dialect test config/dialects/rinne.yaml --answer sample.json \\
                --call "POST /core/v1/users/usr_1/suspend"
            """)

    @Argument(help: "The dialect file.")
    var file: String

    @Option(help: "The call: method and path, with a user's id or with {user} as the dialect writes it.")
    var call: String

    @Option(help: "File with the answer's body.")
    var answer: String

    @Option(help: "The answer's status.")
    var status = 200

    @Option(help: "The answer's Content-Type; empty for none.")
    var contentType = "application/json"

    @Option(help: "The call's own body, where a field of it says what is asked for or names the user.")
    var body: String?

    func run() throws {
        var test = DialectCommand(dialectFile: file, call: call, answerFile: answer)
        (test.status, test.contentType, test.body) = (status, contentType, body)
        try finish(test.run())
    }
}
