import ArgumentParser
import ControlPlane

/// The command line: arguments are read here, everything else is ControlPlane's.
struct Tenantgate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenantgate",
        abstract: "A multi-tenant identity gateway: verifies the caller's token, holds it to its tenant, keeps suspended users out.",
        discussion: "Exit codes: 0 done, 1 refused or failed (standard error says what to do next), 2 wrong usage.",
        version: Versions.text,
        subcommands: [Serve.self, Check.self, DemoCommand.self, Token.self, Explain.self, DialectGroup.self, SuspensionsGroup.self])
}

/// Reads the command line, runs the command, and ends with its exit code.
@main
enum Main {
    static func main() {
        do {
            var command = try Tenantgate.parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            Terminal.error("tenantgate: \(failure.description)\n")
            Tenantgate.exit(withCode: failure.isUsage ? 2 : 1)
        } catch {
            end(error)
        }
    }

    /// Help and versions are no errors; what the parser doesn't understand is wrong usage.
    private static func end(_ error: any Error) -> Never {
        let code = Tenantgate.exitCode(for: error)
        let message = Tenantgate.fullMessage(for: error)
        if code == .success { Terminal.output(message + "\n") } else if !message.isEmpty { Terminal.error(message + "\n") }
        Tenantgate.exit(withCode: code == .validationFailure ? 2 : code.rawValue)
    }
}

extension ParsableCommand {
    /// Prints what a command came to, and ends with 1 where it isn't good.
    func finish(_ result: CommandResult) throws {
        Terminal.error(result.errors)
        Terminal.output(result.output)
        if !result.isGood { throw ExitCode(1) }
    }

    fileprivate static func exit(withCode code: Int32) -> Never { exit(withError: ExitCode(code)) }
}
