import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// An operator's lift here and another gateway's block that didn't know of each other: kept, told, and listed.
@Suite("fleet: contested blocks")
struct FleetContestTests {
    private let ledger: SQLiteLedger
    private let authority: SuspensionAuthority
    private let desk: LiveDesk
    private let name = NamedUser(directory: "rinne", tenant: nil, user: Array("anna".utf8))

    init() throws {
        ledger = try LedgerFolder().open()
        authority = try joinedAuthority(ledger)
        desk = LiveDesk(authority, ledger: ledger, configured: 2)
    }

    private func hear(_ number: Int64, base: Int64, _ state: UserState, _ source: BlockSource) throws {
        _ = try authority.hear([othersWord(number, base: base, state, source)], upTo: fleetStart + number)
    }

    private func lift(_ source: BlockSource) throws -> LiveDesk.Lifting {
        let result = Mutex<LiveDesk.Lifting?>(nil)
        let conclusion: HandConclusion = try awaitedThrowing { done in
            try desk.lift(name, source: source, reason: "INC-1", by: .init(name: "ops", requestID: [])) { conclusion, lifting in
                result.withLock { $0 = lifting }
                done(conclusion)
            }
        }
        #expect(conclusion == .done)
        return try #require(result.withLock { $0 })
    }

    private func listed() throws -> [String] {
        try ledger.blocks(BlockQuery(limit: 10)).blocks.map { String(decoding: $0.line, as: UTF8.self) }
    }

    @Test(
        "a block that is heard after the lift was answered is listed as contested, until it is lifted once more",
        arguments: BlockSource.allCases)
    func later(_ source: BlockSource) throws {
        try hear(1, base: 0, .suspended, source)
        #expect(try listed().allSatisfy { !$0.contains("contested") })
        let first = try lift(source)
        #expect(first.lifted == BlockSources(source) && first.kept.isEmpty && first.here.isEmpty)
        try hear(2, base: 1, .suspended, source)
        #expect(try listed().map { $0.contains(#""contested":true"#) } == [true])
        #expect(try standing().map(\.isContested) == [true])
        let second = try lift(source)
        #expect(second.lifted == BlockSources(source) && second.kept.isEmpty)
        #expect(try listed().isEmpty && authority.contestedUsers == 0)
    }

    @Test("a lift that another gateway's block outlasts says so, and lifts nothing", arguments: BlockSource.allCases)
    func kept(_ source: BlockSource) throws {
        try hear(1, base: 0, .suspended, source)
        try hear(2, base: 1, .suspended, source)
        // The lift was decided before the second word was heard, and is written behind it.
        authority.state.withLock { $0.fleet?.applied = fleetStart + 1 }
        let lifting = try lift(source)
        #expect(lifting.asked == BlockSources(source) && lifting.kept == BlockSources(source) && lifting.lifted.isEmpty)
        #expect(lifting.here == BlockSources(source) && lifting.contestedHere == BlockSources(source))
        #expect(authority.index.stands(source, for: anna))
    }

    private func standing() throws -> [StandingBlock] {
        var blocks: [StandingBlock] = []
        try ledger.forEachStandingBlock { blocks.append($0) }
        return blocks
    }
}

private func awaitedThrowing<Value: Sendable>(_ begin: (@escaping @Sendable (Value) -> Void) throws -> Void) throws -> Value {
    let failure = Mutex<(any Error)?>(nil)
    let value: Value? = awaited { done in
        do {
            try begin { done($0) }
        } catch {
            failure.withLock { $0 = error }
            done(nil)
        }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return value!
}
