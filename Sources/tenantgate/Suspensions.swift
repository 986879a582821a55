import ArgumentParser
import ControlPlane

struct SuspensionsGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspensions",
        abstract: "See and change by hand who is suspended, in the ledger of a stopped gateway.",
        discussion: """
            The ledger belongs to one process: stop the gateway first (systemctl stop tenantgate), start it again afterwards. What is \
            listed is JSON Lines. The user is refused while any block stands: one that was learned (source upstream) or one by hand \
            (source operator).
            """,
        subcommands: [
            SuspensionsList.self, SuspensionsAdd.self, SuspensionsLift.self, SuspensionsImport.self, SuspensionsExport.self,
            SuspensionsLog.self, SuspensionsVerify.self,
        ])
}

/// Which ledger.
struct LedgerOptions: ParsableArguments {
    @Option(help: "The ledger, sqlite:FILE.")
    var ledger: String?

    @Option(help: "The gateway's file, where the ledger doesn't know a directory yet.")
    var config: String?

    @Option(name: .customLong("operator"), help: "Who does this, for the log (default: the user's login name).")
    var operatorName: String?

    var command: SuspensionsCommand {
        var command = SuspensionsCommand(ledger: ledger, config: config)
        if let operatorName { command.operatorName = operatorName }
        return command
    }
}

/// Whom.
struct UserOptions: ParsableArguments {
    @Option(help: "The directory's name.")
    var directory: String

    @Option(help: "The user's id.")
    var user: String

    @Option(help: "The tenant; without it all tenants of the directory are meant.")
    var tenant: String?

    @Option(help: "Why, for the log.")
    var reason: String
}

struct SuspensionsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List who is blocked; on top the calls whose outcome is unknown.")

    @OptionGroup var options: LedgerOptions

    func run() throws { try options.command.list(Terminal.output) }
}

struct SuspensionsAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Block a user by hand.",
        discussion: "No answer of the user service lifts this block; `suspensions lift` does.")

    @OptionGroup var options: LedgerOptions
    @OptionGroup var whom: UserOptions

    func run() throws {
        let done = try options.command.add(directory: whom.directory, tenant: whom.tenant, user: whom.user, reason: whom.reason)
        Terminal.output(done + "\n")
    }
}

struct SuspensionsLift: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lift", abstract: "Lift a user's blocks.",
        discussion: "A call whose outcome is unknown is settled with it. At the user service nothing changes.")

    @OptionGroup var options: LedgerOptions
    @OptionGroup var whom: UserOptions

    @Option(help: "Lift only the block of this source: operator or upstream.")
    var source: String?

    func run() throws {
        let done = try options.command.lift(
            directory: whom.directory, tenant: whom.tenant, user: whom.user, source: source, reason: whom.reason)
        Terminal.output(done + "\n")
    }
}

struct SuspensionsImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Block by hand everybody whom a file of JSON Lines names.",
        discussion: """
            Each line: {"directory":"jitsudo","tenant":"…","user":"…","reason":"…","at":"2026-01-31T12:00:00Z"}; tenant, reason and at \
            may be left out. A bad line refuses the whole import, and every bad line is named.
            """)

    @OptionGroup var options: LedgerOptions

    @Argument(help: "The file.")
    var file: String

    func run() throws { Terminal.output(try options.command.importFile(file) + "\n") }
}

struct SuspensionsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write who is blocked, as `import` reads it.",
        discussion: "Sources are not told apart: what is imported is the operator's.")

    @OptionGroup var options: LedgerOptions

    func run() throws { try options.command.export(Terminal.output) }
}

struct SuspensionsLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Write the log: who, whom, when, from which state to which, how it was learned.")

    @OptionGroup var options: LedgerOptions

    func run() throws { try options.command.log(Terminal.output) }
}

struct SuspensionsVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the whole ledger: its pages, the log's chain, and every block against the log.")

    @OptionGroup var options: LedgerOptions

    func run() throws { Terminal.output(try options.command.verify() + "\n") }
}
