import Foundation
import Policy
import Suspensions
import Tokens

/// `tenantgate suspensions …`: what an operator asks and does by hand, through a running gateway's admin listener or on the ledger of a
/// stopped one.
///
/// Everything that is listed is JSON Lines, one object per line, or with `asText` a line for people.
package struct SuspensionsCommand: Sendable {
    /// `sqlite:FILE` of a stopped gateway; nil means the running one.
    package var ledger: String?
    /// A gateway's file: of the running one, or, with `ledger`, for directories that it doesn't know yet.
    package var config: String? { admin.config }
    /// How the running gateway is reached.
    package var admin: AdminOptions
    /// Who does it, for the log; with a running gateway its token says who.
    package var operatorName: String?
    /// Lines for people.
    package var asText = false

    package init(ledger: String?, admin: AdminOptions) {
        self.ledger = ledger
        self.admin = admin
    }

    /// Whom a listing is about; nil takes all.
    package struct Filter: Sendable {
        package var directory: String?
        package var tenant: String?
        package var user: String?
        package var source: String?
        package init() {}
    }

    /// Calls whose outcome is unknown first, then every block. `note` gets, for people, what the list leaves out.
    package func list(
        _ filter: Filter = Filter(), _ write: @escaping (String) -> Void, note: (String) -> Void = { _ in }
    ) throws(CommandFailure) {
        if let live = try live() { return try live.list(filter, { write(shown($0)) }, note: note) }
        try onExisting { desk, ledger in
            for call in try desk.unconfirmed() where filter.takes(Self.text(call.line)) { write(shown(Self.text(call.line))) }
            try ledger.forEachStandingBlock { block in
                let line = Self.text(block.line)
                if filter.source == nil || filter.source == block.source.name, filter.takes(line) { write(shown(line)) }
            }
        }
    }

    /// Returns what was done, in words.
    package func add(directory: String, tenant: String?, user: String, reason: String) throws(CommandFailure) -> String {
        if let live = try live() {
            return try live.add(LiveSuspensions.Wish(directory: directory, tenant: tenant, user: user, reason: reason))
        }
        let user = Self.named(directory, tenant, user)
        return try on(mayMake: config != nil) { desk, _ in
            try desk.add(user, reason: reason) ? "\(user) is blocked now" : "\(user) was blocked by an operator already"
        }
    }

    /// Lifts the blocks of one source (`operator` or `upstream`), or of both. Returns what was lifted, in words.
    package func lift(
        directory: String, tenant: String?, user: String, source: String?, reason: String
    ) throws(CommandFailure) -> String {
        if let live = try live() {
            return try live.lift(
                LiveSuspensions.Wish(directory: directory, tenant: tenant, user: user, reason: reason, source: source))
        }
        let user = Self.named(directory, tenant, user)
        let only = try source.map { name throws(CommandFailure) in
            guard let source = BlockSource.allCases.first(where: { $0.name == name }) else {
                throw .usage("--source takes \(BlockSource.allCases.map(\.name).joined(separator: " or ")).")
            }
            return source
        }
        return try onExisting { desk, _ in
            let lifted = try desk.lift(user, source: only, reason: reason)
            let names = BlockSource.allCases.filter { lifted.contains(BlockSources($0)) }.map(\.name)
            return names.isEmpty
                ? "\(user): what an unconfirmed call left open is settled"
                : "\(user): lifted the block of \(names.joined(separator: " and "))"
        }
    }

    /// Blocks everybody whom the file names, or nobody. Returns how many lines it had, in words.
    package func importFile(_ path: String) throws(CommandFailure) -> String {
        let lines = LineFile(path)
        try lines.check()
        if let live = try live() { return try live.importFile(lines) }
        return try on(mayMake: config != nil) { desk, _ in
            let count = try desk.importLines { try lines.open() }
            return "imported \(count) line\(count == 1 ? "" : "s")"
        }
    }

    package func export(_ write: @escaping @Sendable (String) -> Void) throws(CommandFailure) {
        if let live = try live() { return try live.export(write) }
        try onExisting { desk, _ in try desk.exportLines { write(Self.text($0) + "\n") } }
    }

    /// The log from the entry after `number`, oldest entry first. `follows`: goes on until the command is ended; for a running gateway.
    package func log(
        after number: Int64 = 0, follows: Bool = false, _ write: @escaping @Sendable (String) -> Void
    ) throws(CommandFailure) {
        let shown = shown
        if let live = try live() { return try live.log(after: number, follows: follows) { write(shown($0)) } }
        guard !follows else { throw .usage("--follow is for a running gateway: use --config FILE in place of --ledger.") }
        try onExisting { _, ledger in try ledger.forEachLogEntry(after: number) { write(shown(Self.text($0.line))) } }
    }

    /// Has users at their service compared with who is blocked, by a running gateway. Returns what came of it, in words; fails where a run
    /// was stopped, or asks for `apply`.
    package func reconcile(_ directory: String?, apply: Bool) throws(CommandFailure) -> String {
        guard let live = try live() else { throw .usage("reconcile is for a running gateway: use --config FILE in place of --ledger.") }
        return try live.reconcile(directory, apply: apply)
    }

    /// Checks the whole ledger. Returns what was found good, in words; throws what is damaged.
    package func verify() throws(CommandFailure) -> String {
        guard ledger != nil else {
            throw .usage("verify reads the ledger of a stopped gateway, or a copy of it: --ledger sqlite:FILE.")
        }
        return try onExisting { _, ledger -> String in
            let entries = try ledger.verify()
            return
                "the ledger is whole: its log has \(entries) entr\(entries == 1 ? "y" : "ies"), chained without a gap, and the blocks are what it says"
        }
    }

    private static func named(_ directory: String, _ tenant: String?, _ user: String) -> NamedUser {
        NamedUser(directory: directory, tenant: tenant.map { Array($0.utf8) }, user: Array(user.utf8))
    }

    private static func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }

    /// A line as it is written out.
    private var shown: @Sendable (String) -> String {
        let asText = asText
        return { (asText ? LineText.text($0) : $0) + "\n" }
    }

    /// Nil where the command is for the ledger of a stopped gateway.
    private func live() throws(CommandFailure) -> LiveSuspensions? {
        guard ledger == nil else { return nil }
        guard operatorName == nil else {
            throw .usage("--operator is for --ledger: with a running gateway the name of its token stands in the log.")
        }
        return LiveSuspensions(admin)
    }
}

// MARK: opening

extension SuspensionsCommand {
    private func onExisting<Result>(_ work: (OperatorDesk, SQLiteLedger) throws -> Result) throws(CommandFailure) -> Result {
        try on(mayMake: false, work)
    }

    /// Opens the ledger, which no other process may have then, and closes it in the end.
    func on<Result>(
        mayMake: Bool, _ work: (OperatorDesk, SQLiteLedger) throws -> Result
    ) throws(CommandFailure) -> Result {
        let path = try ledgerPath()
        guard mayMake || FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure("There is no ledger \(path). Check the path; the gateway's file names it under `ledger`.")
        }
        let directories = try directories()
        do {
            let ledger = try SQLiteLedger(path: path, directories: directories) { Digest.sha256($0.span) }
            defer { ledger.close() }
            let desk = OperatorDesk(ledger: ledger, operator: operatorName ?? NSUserName()) { Int64(Date().timeIntervalSince1970 * 1000) }
            return try work(desk, ledger)
        } catch let failure as CommandFailure {
            throw failure
        } catch LedgerError.held(let path) {
            throw CommandFailure(
                "The ledger \(path) is in use by another process. If that is the running gateway, ask it: --config FILE in place of "
                    + "--ledger (its file needs `admin:`). Else stop that process first.")
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private func ledgerPath() throws(CommandFailure) -> String {
        guard let ledger else { throw .usage("Name the ledger: --ledger sqlite:FILE.") }
        guard ledger.hasPrefix("sqlite:"), ledger.count > 7 else { throw .usage("--ledger \(ledger) is not sqlite:FILE.") }
        return String(ledger.dropFirst(7))
    }

    private func directories() throws(CommandFailure) -> [LedgerDirectory] {
        guard let config else { return [] }
        let checked = Configuration.read(path: config)
        guard let configuration = checked.configuration else {
            throw CommandFailure("The file \(config) is refused:\n" + CheckReport.problems(checked.problems))
        }
        return configuration.directories.map { LedgerDirectory($0) }
    }
}

extension LedgerDirectory {
    /// As the ledger is told of a directory of the file.
    init(_ settings: DirectorySettings) {
        self.init(name: settings.name, idFormat: settings.dialect.idFormat, tenantFormat: settings.dialect.tenantFormat)
    }
}
