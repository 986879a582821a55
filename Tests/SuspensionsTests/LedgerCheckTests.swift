import GRDB
import Policy
import Testing

@testable import Suspensions

/// What every start looks at.
@Suite("the check at the start")
struct LedgerCheckTests {
    @Test("a large ledger's fleet tables are checked at the start like the others; a damaged page there stops it")
    func checked() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        try ledger.commit([
            .fleet(FleetStep { transaction, scopes in _ = try transaction.join(log: "log", epochs: firstEpoch, scopes) }),
            outcome(anna, .state(.suspended)),
        ])
        let chain = LogChain(digest: testDigest)
        let (tables, page, size) = try ledger.database.write { db in
            try LedgerCheck.atStart(db, path: "", chain: chain, wholeUpTo: 0)
            return (
                try LedgerCheck.stateTables(db),
                try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'fleet_heads'")!,
                try Int.fetchOne(db, sql: "PRAGMA page_size")!
            )
        }
        #expect(Set(tables).isSuperset(of: ["\"blocks\"", "\"fleet_heads\"", "\"fleet\"", "\"aliases\""]) && !tables.contains("\"log\""))
        ledger.close()
        try folder.damage(page: page, size: size)
        let queue = try DatabaseQueue(path: folder.path)
        #expect(throws: LedgerError.self) {
            try queue.write { try LedgerCheck.atStart($0, path: "", chain: chain, wholeUpTo: 0) }
        }
    }
}
