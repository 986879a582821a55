import ArgumentParser
import ControlPlane

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Says one line for each listener on standard error when it is ready. The access log goes to standard output as JSON lines, \
            unless the file says otherwise. SIGTERM or SIGINT drains: no new connections, what is open finishes within \
            `timeouts.drain`; a second one ends at once. A changed file, or SIGHUP, reloads: whole or not at all, with no connection \
            dropped. SIGUSR2 upgrades in place: the program is started anew, as it is on disk by then, and takes over; `--take-over` is \
            the same from the other side.
            """)

    @Option(help: "The gateway's file.")
    var config: String

    @Flag(help: "Take over from the gateway that runs on this ledger, without a request lost; where none runs, just start.")
    var takeOver = false

    func run() throws {
        try ServeCommand.run(config: config, takesOver: takeOver, arguments: CommandLine.arguments) { Terminal.error($0 + "\n") }
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is wrong with a file, or what each route enforces.",
        discussion: "Every problem is told with line, column and remedy on standard error; with an error among them the exit code is 1.")

    @Option(help: "The gateway's file.")
    var config: String

    func run() throws {
        try finish(CheckCommand.run(config: config))
    }
}

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run everything on this machine, with no file to write.",
        discussion: """
            Makes a certificate, keys and a ledger in a folder of its own, starts both demo user services and the gateway in front of \
            them, and prints tokens and ready `curl` lines with the outcome to expect. What the gateway says of itself, such as who was \
            suspended by hand, follows on standard error. Ctrl-C ends it and removes the folder.
            """)

    @Option(help: "The gateway's port on 127.0.0.1; 0 takes a free one.")
    var port = 8443

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535.") }
    }

    func run() throws {
        try Demo.run(port: port, say: Terminal.output) { Terminal.error("gateway: \($0)\n") }
    }
}
