import Foundation
import GRDB
import Policy

@testable import Suspensions

let bothDirectories = [
    LedgerDirectory(name: "jitsudo", idFormat: .uuid, tenantFormat: .uuid),
    LedgerDirectory(name: "rinne", idFormat: .string, tenantFormat: .string),
]

/// A digest that is good enough to tell entries apart; the gateway hands in SHA-256.
let testDigest: Digest = { bytes in
    var digest: [UInt8] = []
    for key in [UInt64(1), 2] {
        let hash = KeyedHash(key, key)(bytes.span)
        for word in [hash.low, hash.high] { for byte in 0..<8 { digest.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) } }
    }
    return digest
}

/// A folder of its own, removed when the test is over.
final class LedgerFolder {
    let url: URL
    var path: String { url.appendingPathComponent("ledger.db").path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tenantgate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func open(_ directories: [LedgerDirectory] = bothDirectories) throws -> SQLiteLedger {
        try SQLiteLedger(path: path, directories: directories, digest: testDigest)
    }

    /// Overwrites the beginning of a page.
    func damage(page: Int, size: Int) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64((page - 1) * size))
        try file.write(contentsOf: Data(count: 64))
        try file.close()
    }

    /// The file in another program's hands.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

let anna = Subject(directory: 1, tenant: nil, user: named("anna"))
let bob = Subject(directory: 1, tenant: tenant("acme").id, user: named("bob"))
let uuidUser = Subject(directory: 0, tenant: .uuid(UUIDBits(high: 1, low: 2)), user: user(77))

func intent(_ number: Int64, _ subject: Subject, _ wanted: UserState = .suspended, blocksOnUnknown: Bool = false) -> LedgerChange {
    .intend(
        Intent(
            number: number, subject: subject, wanted: wanted, caller: Array("admin".utf8), requestID: Array("r\(number)".utf8),
            suspendsOnUnknown: blocksOnUnknown, at: 1000 + number))
}

func outcome(
    _ subject: Subject, _ result: Outcome.Result, intent: Int64? = nil, source: BlockSource = .upstream, learned: Learned = .call,
    reason: String = "", at time: Int64 = 2000
) -> LedgerChange {
    .record(
        Outcome(
            intent: intent, subject: subject, source: source, result: result, learned: learned, actor: Array("admin".utf8),
            requestID: Array("r".utf8), reason: reason, at: time))
}
