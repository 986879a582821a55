import ArgumentParser
import ControlPlane

struct SuspensionsGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspensions",
        abstract: "See and change by hand who is suspended.",
        discussion: """
            On a running gateway, through its admin listener:

              tenantgate suspensions add --config /etc/tenantgate/tenantgate.yaml \\
                --directory jitsudo --tenant $TENANT --user $WHOM --reason INC-4711

            --config finds the address and a token in the gateway's own file; --admin URL --token-file FILE does without it. On the \
            ledger of a stopped gateway: --ledger sqlite:FILE. Listings are lines for people at a terminal, JSON Lines elsewhere. The \
            user is refused while any block stands: one that was learned (source upstream) or one by hand (source operator).
            """,
        subcommands: [
            SuspensionsList.self, SuspensionsAdd.self, SuspensionsLift.self, SuspensionsImport.self, SuspensionsExport.self,
            SuspensionsLog.self, SuspensionsReconcile.self, SuspensionsVerify.self,
        ])
}

/// Which gateway, or which ledger.
struct LedgerOptions: ParsableArguments {
    @Option(help: "The running gateway's file; beside --ledger for directories that the ledger doesn't know yet.")
    var config: String?

    @Option(help: "The running gateway's admin listener: http://127.0.0.1:9901, https://HOST:PORT or unix:PATH.")
    var admin: String?

    @Option(help: "A file with one of its admin.tokens (default: the first of --config that this user may read).")
    var tokenFile: String?

    @Option(help: "PEM file of who vouches for its certificate.")
    var ca: String?

    @Option(help: "The ledger of a stopped gateway, sqlite:FILE.")
    var ledger: String?

    @Option(name: .customLong("operator"), help: "With --ledger: who does this, for the log (default: the user's login name).")
    var operatorName: String?

    var command: SuspensionsCommand {
        var command = SuspensionsCommand(
            ledger: ledger, admin: AdminOptions(config: config, admin: admin, tokenFile: tokenFile, authorities: ca))
        command.operatorName = operatorName
        return command
    }

    func validate() throws {
        if ledger != nil, admin != nil {
            throw ValidationError("Give --admin for a running gateway or --ledger for a stopped one, not both.")
        }
    }
}

/// How lines are written.
struct LineOptions: ParsableArguments {
    @Flag(help: "JSON Lines, also at a terminal.")
    var json = false

    @Flag(help: "Lines for people, also in a pipe.")
    var text = false

    var asText: Bool { text || (!json && Terminal.isPersons) }
}

/// Whom.
struct UserOptions: ParsableArguments {
    @Option(help: "The directory's name; a wrong one is answered by the names that there are.")
    var directory: String

    @Option(help: "The user's id, as the user service spells it.")
    var user: String

    @Option(help: "The tenant. Without it the one block for all tenants is meant; blocks in single tenants are others.")
    var tenant: String?

    @Option(help: "Why, for the log: a ticket, say.")
    var reason: String
}

struct SuspensionsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List who is blocked; on top the calls whose outcome is unknown.")

    @OptionGroup var options: LedgerOptions
    @OptionGroup var lines: LineOptions

    @Option(help: "Only this directory.")
    var directory: String?

    @Option(help: "Only blocks in this tenant; those for all tenants, which hold there too, are left out.")
    var tenant: String?

    @Option(help: "Only this user.")
    var user: String?

    @Option(help: "Only blocks of this source: operator or upstream.")
    var source: String?

    func run() throws {
        var command = options.command
        command.asText = lines.asText
        var filter = SuspensionsCommand.Filter()
        (filter.directory, filter.tenant, filter.user, filter.source) = (directory, tenant, user, source)
        try command.list(filter, Terminal.output) { Terminal.error("tenantgate: \($0)\n") }
    }
}

struct SuspensionsAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Block a user by hand.",
        usage: """
            tenantgate suspensions add --config FILE --directory NAME [--tenant ID] --user ID --reason TEXT
            tenantgate suspensions add --admin URL --token-file FILE [--ca FILE] --directory NAME …
            tenantgate suspensions add --ledger sqlite:FILE [--operator NAME] --directory NAME …
            """,
        discussion: """
            When it ends with 0 the user is refused at every request from now on (with --ledger: once the gateway runs), what was open has \
            been cut, and it is on disk. The user service isn't asked and learns nothing. No answer of it lifts this block; `suspensions lift` does.
            """)

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
        usage: """
            tenantgate suspensions lift --config FILE --directory NAME [--tenant ID] --user ID --reason TEXT [--source SOURCE]
            tenantgate suspensions lift --admin URL --token-file FILE [--ca FILE] --directory NAME …
            tenantgate suspensions lift --ledger sqlite:FILE [--operator NAME] --directory NAME …
            """,
        discussion: """
            Which ones there are says `suspensions list --user ID`; give --tenant as it stands there. What stands still afterwards is told. \
            A call whose outcome is unknown is settled with it. At the user service nothing changes: who is suspended there may be learned \
            again.
            """)

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
    @OptionGroup var lines: LineOptions

    @Option(help: "Only entries after this number.")
    var after: Int64 = 0

    @Flag(help: "Go on as the log does; for a running gateway.")
    var follow = false

    func run() throws {
        var command = options.command
        command.asText = lines.asText
        try command.log(after: after, follows: follow, Terminal.output)
    }
}

struct SuspensionsReconcile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Compare users at their service with who is blocked, now, and put right what has drifted.",
        discussion: """
            By the directories' service_tokens; for a running gateway. Where it would change more than 100 users and more than one in a \
            hundred, nothing is changed, and it ends with 1: look, then repeat it with --apply. Operators' blocks are left alone.
            """)

    @OptionGroup var options: LedgerOptions

    @Option(help: "Only this directory.")
    var directory: String?

    @Flag(help: "Change as many users as it takes.")
    var apply = false

    func run() throws { Terminal.output(try options.command.reconcile(directory, apply: apply) + "\n") }
}

struct SuspensionsVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check the whole ledger: its pages, the log's chain, and every block against the log.")

    @OptionGroup var options: LedgerOptions

    func run() throws { Terminal.output(try options.command.verify() + "\n") }
}
