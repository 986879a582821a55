import Foundation
import Policy
import Proxy
import Suspensions
import Tokens

/// The blocks that a ledger holds now, taken out in one look: for `explain`, which must neither wait for a running gateway nor write.
struct LedgerGlance {
    /// Why nobody could be asked; nil where the ledger was read.
    let problem: String?
    private let blocks: Standings
    private let directories: [DirectorySettings]

    /// Reads the ledger if no other process has it. A file that isn't there holds nobody and is not made.
    init(_ configuration: Configuration) {
        directories = configuration.directories
        guard FileManager.default.fileExists(atPath: configuration.ledger) else {
            (problem, blocks) = (nil, Standings())
            return
        }
        do throws(LedgerError) {
            blocks = try Standings(readFrom: configuration)
            problem = nil
        } catch {
            blocks = Standings()
            if case .held(let path) = error {
                problem = "the ledger \(path) is held by the running gateway, which alone can say who is suspended"
            } else {
                problem = error.description
            }
        }
    }

    /// What requests would be judged by, with these blocks.
    func snapshot(of configuration: Configuration) throws -> Snapshot {
        let reaches = configuration.directories.map(\.dialect.reach)
        return try Snapshot(
            configuration,
            suspensions: SuspensionAuthority(
                store: blocks, reaches: reaches, aliasKinds: configuration.aliasKinds, onBlock: { _ in }))
    }

    /// Every block of these users, in words.
    func blocks(of users: [UserID], in directory: DirectoryIndex) -> [String] {
        blocks.blocks.filter { $0.subject.directory == directory && users.contains($0.subject.user) }.map { subject, source in
            let tenant = subject.tenant.map { "tenant \(String(decoding: $0.canonical, as: UTF8.self))" } ?? "every tenant"
            let user = String(decoding: subject.user.id.canonical, as: UTF8.self)
            return "user \(user) of \(directories[directory].name) is blocked in \(tenant), source \(source.name)"
        }
    }

    /// Every reactivation of these users in this second or later, in words.
    func reactivations(of users: [UserID], in directory: DirectoryIndex, since seconds: Int64) -> [String] {
        let found = blocks.reactivations.filter { subject, time in
            subject.directory == directory && users.contains(subject.user) && time / 1000 >= seconds
        }
        return found.map { subject, time in
            let tenant = subject.tenant.map { "tenant \(String(decoding: $0.canonical, as: UTF8.self))" } ?? "every tenant"
            let user = String(decoding: subject.user.id.canonical, as: UTF8.self)
            let when = Date(timeIntervalSince1970: Double(time / 1000)).formatted(.iso8601)
            return "user \(user) of \(directories[directory].name) was reactivated in \(tenant) at \(when)"
        }
    }
}

/// What was read before and is only asked: a ledger that takes nothing.
private final class Standings: LedgerStore {
    let blocks: [(subject: Subject, source: BlockSource)]
    let reactivations: [(subject: Subject, time: Int64)]
    private let aliases: [AliasRow]

    /// A ledger that holds nobody.
    init() { (blocks, reactivations, aliases) = ([], [], []) }

    init(readFrom configuration: Configuration) throws(LedgerError) {
        let directories = configuration.directories.map { LedgerDirectory($0) }
        let ledger = try SQLiteLedger(path: configuration.ledger, directories: directories) { Digest.sha256($0.span) }
        defer { ledger.close() }
        var blocks: [(subject: Subject, source: BlockSource)] = []
        var reactivations: [(subject: Subject, time: Int64)] = []
        try ledger.forEachBlock { blocks.append(($0, $1)) }
        try ledger.forEachReactivation { reactivations.append(($0, $1)) }
        var aliases: [AliasRow] = []
        try ledger.forEachAlias { aliases.append($0) }
        (self.blocks, self.reactivations, self.aliases) = (blocks, reactivations, aliases)
    }

    func commit(_ changes: [LedgerChange]) throws(LedgerError) {}
    func recover(at time: Int64) throws(LedgerError) {}
    func blockCount() throws(LedgerError) -> Int { blocks.count }
    func forEachBlock(_ body: (Subject, BlockSource) -> Void) throws(LedgerError) {
        for (subject, source) in blocks { body(subject, source) }
    }
    func forEachReactivation(_ body: (Subject, Int64) -> Void) throws(LedgerError) {
        for (subject, time) in reactivations { body(subject, time) }
    }
    func blocks(_ query: BlockQuery) throws(LedgerError) -> BlockPage { BlockPage() }
    func forEachRecentChange(since time: Int64, _ body: (Subject, Int64) -> Void) throws(LedgerError) {}
    func forEachAlias(_ body: (AliasRow) -> Void) throws(LedgerError) { aliases.forEach(body) }
    func unconfirmedCalls() throws(LedgerError) -> [UnconfirmedCall] { [] }
    func fillings() throws(LedgerError) -> [DirectoryIndex: Bool] { [:] }
    func close() {}
}
