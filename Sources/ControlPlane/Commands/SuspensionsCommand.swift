import Foundation
import Policy
import Suspensions
import Tokens

/// `tenantgate suspensions …`: what an operator asks and does by hand, on the ledger of a stopped gateway.
///
/// Everything that is listed is JSON Lines, one object per line.
package struct SuspensionsCommand: Sendable {
    /// `sqlite:FILE`; nil would mean the running gateway, which this version can't be asked through.
    package var ledger: String?
    /// A gateway's file, for directories that the ledger doesn't know yet.
    package var config: String?
    /// Who does it, for the log.
    package var operatorName = NSUserName()

    package init(ledger: String?, config: String?) {
        self.ledger = ledger
        self.config = config
    }

    /// Calls whose outcome is unknown first, then every block.
    package func list(_ write: @escaping (String) -> Void) throws(CommandFailure) {
        try onExisting { desk, ledger in
            for call in try desk.unconfirmed() { write(Self.text(call.line)) }
            try ledger.forEachStandingBlock { write(Self.text($0.line)) }
        }
    }

    /// Returns what was done, in words.
    package func add(directory: String, tenant: String?, user: String, reason: String) throws(CommandFailure) -> String {
        let user = Self.named(directory, tenant, user)
        return try on(mayMake: config != nil) { desk, _ in
            try desk.add(user, reason: reason) ? "\(user) is blocked now" : "\(user) was blocked by an operator already"
        }
    }

    /// Lifts the blocks of one source (`operator` or `upstream`), or of both. Returns what was lifted, in words.
    package func lift(
        directory: String, tenant: String?, user: String, source: String?, reason: String
    ) throws(CommandFailure) -> String {
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
        return try on(mayMake: config != nil) { desk, _ in
            let count = try desk.importLines { try lines.open() }
            return "imported \(count) line\(count == 1 ? "" : "s")"
        }
    }

    package func export(_ write: @escaping (String) -> Void) throws(CommandFailure) {
        try onExisting { desk, _ in try desk.exportLines { write(Self.text($0)) } }
    }

    /// The whole log, oldest entry first.
    package func log(_ write: @escaping (String) -> Void) throws(CommandFailure) {
        try onExisting { _, ledger in try ledger.forEachLogEntry { write(Self.text($0.line)) } }
    }

    /// Checks the whole ledger. Returns what was found good, in words; throws what is damaged.
    package func verify() throws(CommandFailure) -> String {
        try onExisting { _, ledger in
            let entries = try ledger.verify()
            return
                "the ledger is whole: its log has \(entries) entr\(entries == 1 ? "y" : "ies"), chained without a gap, and the blocks are what it says"
        }
    }

    private static func named(_ directory: String, _ tenant: String?, _ user: String) -> NamedUser {
        NamedUser(directory: directory, tenant: tenant.map { Array($0.utf8) }, user: Array(user.utf8))
    }

    private static func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) + "\n" }
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
            let desk = OperatorDesk(ledger: ledger, operator: operatorName) { Int64(Date().timeIntervalSince1970 * 1000) }
            return try work(desk, ledger)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private func ledgerPath() throws(CommandFailure) -> String {
        guard let ledger else {
            throw .usage(
                "Name the ledger: --ledger sqlite:FILE, the gateway that uses it being stopped. "
                    + "A running gateway can't be asked in this version: stop it, do this, start it again.")
        }
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
