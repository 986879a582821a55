import Foundation
import Policy
import Testing

@testable import Suspensions

/// Pages of a ledger's blocks and log.
@Suite("pages of the ledger")
struct BlockQueryTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tenantgate-pages-\(UUID().uuidString)")
    private let ledger: SQLiteLedger

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        ledger = try SQLiteLedger(
            path: folder.appendingPathComponent("ledger.db").path,
            directories: [
                LedgerDirectory(name: "a", idFormat: .string, tenantFormat: .string),
                LedgerDirectory(name: "b", idFormat: .uuid, tenantFormat: .uuid),
            ]
        ) { Array(repeating: UInt8(truncatingIfNeeded: $0.count), count: 32) }
    }

    private func block(_ user: String, tenant: String? = nil, _ source: BlockSource = .operator) throws {
        let subject = Subject(
            directory: 0, tenant: tenant.map { .string(Array($0.utf8)) }, user: UserID(.string(Array(user.utf8))))
        try ledger.commit([
            .record(
                Outcome(
                    intent: nil, subject: subject, source: source, result: .state(.suspended), learned: .hand, actor: [], requestID: [],
                    reason: "r", at: 1))
        ])
    }

    private func all(_ query: BlockQuery) throws -> [String] {
        var (query, found, pages) = (query, [String](), 0)
        repeat {
            let page = try ledger.blocks(query)
            #expect(page.blocks.count <= query.limit)
            found += page.blocks.map {
                "\($0.user.tenant.map { String(decoding: $0, as: UTF8.self) } ?? "*")/\(String(decoding: $0.user.user, as: UTF8.self))/\($0.source.name)"
            }
            guard let next = page.next else { return found }
            // A cursor goes out and comes back as text.
            query.after = BlockPosition(next.text)
            #expect(query.after == next)
            pages += 1
        } while pages < 1000
        Issue.record("the pages have no end")
        return found
    }

    @Test("each block comes once, whatever the page's size", arguments: [1, 2, 3, 7, 1000])
    func complete(limit: Int) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for number in 0..<20 {
            try block("u\(number)", tenant: number % 3 == 0 ? nil : "t\(number % 3)")
            if number % 4 == 0 { try block("u\(number)", tenant: number % 3 == 0 ? nil : "t\(number % 3)", .upstream) }
        }
        let found = try all(BlockQuery(limit: limit))
        #expect(found.count == 25 && Set(found).count == 25)
        var query = BlockQuery(limit: limit)
        query.source = .upstream
        #expect(try all(query).count == 5)
        query = BlockQuery(limit: limit)
        query.tenants = [.string(Array("t1".utf8))]
        #expect(try all(query).allSatisfy { $0.hasPrefix("t1/") } && all(query).count > 5)
        query = BlockQuery(limit: limit)
        query.user = Array("u4".utf8)
        #expect(try all(query) == ["t1/u4/upstream", "t1/u4/operator"])
        query.directory = 1
        #expect(try all(query).isEmpty)
    }

    @Test("a page that looked at enough ends, though there is more")
    func bounded() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for start in stride(from: 0, to: 6000, by: 1000) {
            try ledger.commit(
                (start..<start + 1000).map { number in
                    .record(
                        Outcome(
                            intent: nil, subject: Subject(directory: 0, tenant: nil, user: UserID(.string(Array("u\(number)".utf8)))),
                            source: .operator, result: .state(.suspended), learned: .imported, actor: [], requestID: [], reason: "", at: 1))
                })
        }
        var query = BlockQuery(limit: 100)
        query.source = .upstream
        let page = try ledger.blocks(query)
        #expect(page.blocks.isEmpty && page.next != nil, "nothing yet, and no end")
        #expect(try all(query).isEmpty)
    }

    @Test(
        "what is no cursor is none",
        arguments: ["", "1", "1.1", "1.1.x", "1.1.u00", "-1.1.s61", "01.1.s61", "1.9.s61", "1.1.s6", "1.1.s", "1.1.s0g", "1.1.s00"])
    func cursors(text: String) { #expect(BlockPosition(text) == nil) }

    @Test("the log's pages go both ways")
    func log() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for number in 0..<10 { try block("u\(number)") }
        #expect(try ledger.log(.after(7), limit: 5).entries.map(\.number) == [8, 9, 10])
        #expect(try ledger.log(.before(nil), limit: 2).entries.map(\.number) == [10, 9])
        #expect(try ledger.log(.before(3), limit: 5).entries.map(\.number) == [2, 1])
        #expect(try ledger.log(.before(0), limit: 5).last == 10)
    }
}
