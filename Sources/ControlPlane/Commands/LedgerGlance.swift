import Foundation
import Policy
import Proxy
import Suspensions
import Tokens

/// The blocks that a ledger holds now, taken out in one look: for `explain`, which must neither wait for a running gateway nor write.
struct LedgerGlance {
    /// Why nobody could be asked; nil where the ledger was read.
    let problem: String?
    private let blocks: StandingBlocks
    private let directories: [DirectorySettings]

    /// Reads the ledger if no other process has it. A file that isn't there holds nobody and is not made.
    init(_ configuration: Configuration) {
        directories = configuration.directories
        guard FileManager.default.fileExists(atPath: configuration.ledger) else {
            (problem, blocks) = (nil, StandingBlocks([]))
            return
        }
        do throws(LedgerError) {
            blocks = try StandingBlocks(readFrom: configuration)
            problem = nil
        } catch {
            blocks = StandingBlocks([])
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
        return try Snapshot(configuration, suspensions: SuspensionAuthority(store: blocks, reaches: reaches, onBlock: { _ in }))
    }

    /// Every block of these users, in words.
    func blocks(of users: [UserID], in directory: DirectoryIndex) -> [String] {
        blocks.all.filter { $0.subject.directory == directory && users.contains($0.subject.user) }.map { subject, source in
            let tenant = subject.tenant.map { "tenant \(String(decoding: $0.canonical, as: UTF8.self))" } ?? "every tenant"
            let user = String(decoding: subject.user.id.canonical, as: UTF8.self)
            return "user \(user) of \(directories[directory].name) is blocked in \(tenant), source \(source.name)"
        }
    }
}

/// Blocks that were read before and are only asked: a ledger that takes nothing.
private final class StandingBlocks: LedgerStore {
    let all: [(subject: Subject, source: BlockSource)]

    init(_ all: [(subject: Subject, source: BlockSource)]) { self.all = all }

    convenience init(readFrom configuration: Configuration) throws(LedgerError) {
        let directories = configuration.directories.map { LedgerDirectory($0) }
        let ledger = try SQLiteLedger(path: configuration.ledger, directories: directories) { Digest.sha256($0.span) }
        defer { ledger.close() }
        var all: [(subject: Subject, source: BlockSource)] = []
        try ledger.forEachBlock { all.append(($0, $1)) }
        self.init(all)
    }

    func commit(_ changes: [LedgerChange]) throws(LedgerError) {}
    func recover(at time: Int64) throws(LedgerError) {}
    func blockCount() throws(LedgerError) -> Int { all.count }
    func forEachBlock(_ body: (Subject, BlockSource) -> Void) throws(LedgerError) { for (subject, source) in all { body(subject, source) } }
    func unconfirmedCalls() throws(LedgerError) -> [UnconfirmedCall] { [] }
    func close() {}
}
