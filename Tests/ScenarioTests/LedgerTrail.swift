import Foundation
import GRDB
import TestSupport

/// What a killed gateway has left in its ledger of each call, by the request's id. Read from a copy, past all code of the gateway.
struct LedgerTrail {
    /// About to be tried: the intent is written, the outcome isn't.
    let pending: Set<String>
    let logged: Set<String>

    init(_ world: World) throws {
        let copy = try LedgerCopy(world)
        let database = try DatabaseQueue(path: copy.path)
        defer { try? database.close() }
        (pending, logged) = try database.read { database in
            (
                try String.fetchSet(database, sql: "SELECT request FROM intents"),
                try String.fetchSet(database, sql: "SELECT request FROM log")
            )
        }
    }

    func knows(_ request: String) -> Bool { pending.contains(request) || logged.contains(request) }
}

/// What `tenantgate suspensions log` and `list` say of each call, by the request's id: as an operator reads it.
struct LedgerListing {
    struct Entry: Sendable {
        let learned: String
        let isSuspended: Bool
    }

    let entries: [String: [Entry]]
    /// The log, oldest first, as it is printed.
    let all: [[String: Any]]
    /// The users of calls that are listed as unconfirmed.
    let unconfirmed: [String: String]

    /// To be taken while nobody calls.
    init(_ world: World) throws {
        let copy = try LedgerCopy(world)
        all = try copy.lines("log")
        entries = Dictionary(grouping: all) { $0["request"] as? String ?? "" }.mapValues { lines in
            lines.map { Entry(learned: $0["learned"] as? String ?? "", isSuspended: $0["to"] as? String == "suspended") }
        }
        unconfirmed = Dictionary(
            try copy.lines("list").filter { $0["unconfirmed"] != nil }
                .map { ($0["request"] as? String ?? "", $0["user"] as? String ?? "") }, uniquingKeysWith: { first, _ in first })
    }
}

/// A copy of the ledger in a folder of its own.
private struct LedgerCopy {
    private let folder: TemporaryFolder
    let path: String

    init(_ world: World) throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.db")
        let ledger = world.folder.path("var/tenantgate.db")
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: ledger + end) {
            try FileManager.default.copyItem(atPath: ledger + end, toPath: path + end)
        }
    }

    func lines(_ command: String) throws -> [[String: Any]] {
        let program = try BuildProducts.program("tenantgate").path
        let run = try ChildProcess.run(program, ["suspensions", command, "--ledger", "sqlite:\(path)"], in: folder)
        guard run.status == 0 else { throw ChildFailed(program: "tenantgate suspensions \(command)", errors: run.errors) }
        return run.output.split(separator: "\n").compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
    }
}
