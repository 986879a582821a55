import Foundation
import Policy
import Suspensions
import Tokens

/// `suspension-benchmark [USERS]`: what many suspended users cost — time to start, memory, and nanoseconds per question (SPEC §9).
///
/// Each part runs in a process of its own, so that making the ledger doesn't count as the gateway's memory:
/// `fill FILE USERS`, `measure FILE`, and `commit FILE TIMES`, which is what the test of fsyncs watches.
@main
enum SuspensionBenchmark {
    static let directories = [LedgerDirectory(name: "jitsudo", idFormat: .uuid, tenantFormat: .uuid)]
    static let tenants = 1000

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "fill": try fill(arguments[1], users: Int(arguments[2])!)
        case "measure": try Measurement.run(arguments[1])
        case "commit": try commit(arguments[1], times: Int(arguments[2])!)
        default: try all(users: arguments.first.flatMap { Int($0) } ?? 10_000_000)
        }
    }

    /// The whole benchmark in a folder that is removed afterwards.
    private static func all(users: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "suspension-benchmark-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "ledger.db").path
        try runSelf(["fill", file, "\(users)"])
        try runSelf(["measure", file])
    }

    private static func runSelf(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CancellationError() }
    }

    static func open(_ file: String) throws -> SQLiteLedger {
        try SQLiteLedger(path: file, directories: directories) { Digest.sha256($0.span) }
    }

    /// A ledger as an operator's import makes it: every user a block and an entry of the log.
    private static func fill(_ file: String, users: Int) throws {
        let start = Date()
        let ledger = try open(file)
        let desk = OperatorDesk(ledger: ledger, operator: "benchmark", now: { 1_767_225_600_000 })
        try desk.importLines {
            var number = 0
            return {
                guard number < users else { return nil }
                defer { number += 1 }
                let names = (tenant: SampleUsers.tenant(number % tenants).canonical, user: SampleUsers.user(number).id.canonical)
                return Array(#"{"directory":"jitsudo","tenant":""#.utf8) + names.tenant + Array(#"","user":""#.utf8) + names.user
                    + Array(#""}"#.utf8)
            }
        }
        ledger.close()
        let bytes = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
        print("imported \(users) users in \(seconds(since: start)) s, ledger \(bytes / 1_000_000) MB")
    }

    /// One durable transaction after the other.
    private static func commit(_ file: String, times: Int) throws {
        let ledger = try open(file)
        let desk = OperatorDesk(ledger: ledger, operator: "benchmark", now: { 0 })
        for number in 0..<times {
            try desk.add(NamedUser(directory: "jitsudo", tenant: nil, user: SampleUsers.user(number).id.canonical), reason: "test")
        }
        ledger.close()
    }

    static func seconds(since start: Date) -> String { String(format: "%.2f", Date().timeIntervalSince(start)) }
}

/// Ids that look random and can be made again from their number.
enum SampleUsers {
    static func user(_ number: Int) -> UserID { UserID(uuid(UInt64(number), salt: 1)) }
    static func tenant(_ number: Int) -> FormattedID { uuid(UInt64(number), salt: 2) }

    private static func uuid(_ number: UInt64, salt: UInt64) -> FormattedID {
        .uuid(UUIDBits(high: mix(number &* 4 &+ salt), low: mix(number &* 4 &+ salt &+ 0x5555_5555)))
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        var z = number &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
