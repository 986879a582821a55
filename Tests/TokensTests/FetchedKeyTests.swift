import Policy
import Testing

@testable import Tokens

/// What a loop makes of fetched keys: none yet, rotated, withdrawn, swapped, unknown.
@Suite("tokens by fetched keys") struct FetchedKeyTests {
    private let world = FetchedWorld()
    private let authority: TokenAuthority

    init() throws { authority = try FetchedSets.authority() }

    private func verdict(_ memory: inout TokenMemory, _ token: [UInt8]) -> Denial? {
        do throws(Denial) {
            _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
            return nil
        } catch {
            return error
        }
    }

    /// The keys of this set, fetched by a refresher that ages by five minutes.
    private func rotate(_ refresher: KeyRefresher, to set: [UInt8], _ memory: inout TokenMemory) {
        world.answer(set)
        world.advance(300_000)
        refresher.tick()
        refresher.tick()
        memory.use(world.table)
    }

    @Test("without keys a token is answered by keys_unavailable, whatever it is; a stranger's isn't")
    func none() {
        var memory = TokenMemory(count: 8)
        #expect(verdict(&memory, FetchedSets.token(.rsa, "one")) == .keysUnavailable)
        memory.use(world.table)
        #expect(verdict(&memory, FetchedSets.token(.rsa, nil, ["exp": "1"])) == .keysUnavailable)
        #expect(verdict(&memory, hs([:])) == .invalidToken)
        #expect(verdict(&memory, Forge.token(hsHeader, payload("fetched"), .secret(World.secret, .hs256))) == .invalidToken)
        #expect(TokenFault.keysUnavailable.denial == .keysUnavailable)
    }

    @Test("rotation: the new key serves beside the old, and what the old one has verified goes with it")
    func rotation() throws {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        let (old, new) = (FetchedSets.token(.rsa, "one"), FetchedSets.token(.otherRSA, "two"))
        rotate(refresher, to: FetchedSets.one, &memory)
        #expect(verdict(&memory, old) == nil && verdict(&memory, new) == .invalidToken)
        let remembered = try memory.credential(for: old.span, directory: 0, authority: authority, now: World.now)
        rotate(refresher, to: FetchedSets.two, &memory)
        #expect(verdict(&memory, new) == nil)
        let again = try memory.credential(for: old.span, directory: 0, authority: authority, now: World.now)
        #expect(again === remembered, "a key that stays keeps its tokens")
        #expect(again.keyName == Array("one".utf8) && memory.count == 2)
        rotate(refresher, to: FetchedSets.second, &memory)
        #expect(memory.count == 1)
        #expect(verdict(&memory, old) == .invalidToken && verdict(&memory, new) == nil)
    }

    @Test("a key swapped under the same kid: remembered tokens of the old one stop at the swap")
    func swapped() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        let (old, new) = (FetchedSets.token(.rsa, "one"), FetchedSets.token(.otherRSA, "one"))
        rotate(refresher, to: FetchedSets.one, &memory)
        #expect(verdict(&memory, old) == nil && verdict(&memory, new) == .invalidToken)
        rotate(refresher, to: FetchedSets.swapped, &memory)
        #expect(verdict(&memory, old) == .invalidToken && verdict(&memory, new) == nil)
    }

    @Test("when the last good set is too old, remembered tokens are answered by keys_unavailable too")
    func stale() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        rotate(refresher, to: FetchedSets.one, &memory)
        #expect(verdict(&memory, FetchedSets.token(.rsa, "one")) == nil)
        world.fail(.connect)
        world.advance(86_400_000)
        refresher.tick()
        memory.use(world.table)
        #expect(memory.count == 0 && verdict(&memory, FetchedSets.token(.rsa, "one")) == .keysUnavailable)
    }

    @Test("a flood of unknown kids costs one fetch every 10 s, and known kids go on being remembered")
    func flood() throws {
        var memory = TokenMemory(count: 64)
        let refresher = world.refresher()
        rotate(refresher, to: FetchedSets.one, &memory)
        let (known, unknown) = (FetchedSets.token(.rsa, "one"), FetchedSets.token(.otherRSA, "two"))
        let first = try memory.credential(for: known.span, directory: 0, authority: authority, now: World.now)
        let before = world.requests
        // A minute with ten ticks a second.
        for _ in 0..<600 {
            for _ in 0..<3 { #expect(verdict(&memory, unknown) == .invalidToken) }
            #expect(try memory.credential(for: known.span, directory: 0, authority: authority, now: World.now) === first)
            refresher.tick()
            world.advance(100)
        }
        #expect((5...6).contains(world.requests - before))
        #expect(memory.count == 1)
    }

    @Test("a name that the set doesn't have is asked for also where the set has a key without a name")
    func unnamed() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        rotate(refresher, to: JWKText.set(JWKText.rsa(.rsa, ["use": "\"sig\""])), &memory)
        #expect(verdict(&memory, FetchedSets.token(.rsa, "any")) == nil)
        world.answer(FetchedSets.second)
        world.advance(10_000)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, "two")) == .invalidToken)
        refresher.tick()
        memory.use(world.table)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, "two")) == nil)
    }

    @Test("a token that names a key which the issuer has only now: good within 10 s of the last fetch")
    func newKey() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        rotate(refresher, to: FetchedSets.one, &memory)
        world.answer(FetchedSets.two)
        world.advance(9_000)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, "two")) == .invalidToken)
        refresher.tick()
        #expect(world.requests == 1)
        world.advance(1_000)
        refresher.tick()
        refresher.tick()
        memory.use(world.table)
        #expect(world.requests == 2 && verdict(&memory, FetchedSets.token(.otherRSA, "two")) == nil)
    }

    @Test("tokens without kid are tried by every key, and ask for more where none fits")
    func withoutKid() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        rotate(refresher, to: FetchedSets.one, &memory)
        #expect(verdict(&memory, FetchedSets.token(.rsa, nil)) == nil)
        world.advance(10_000)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, nil)) == .invalidToken)
        world.answer(FetchedSets.two)
        refresher.tick()
        refresher.tick()
        memory.use(world.table)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, nil)) == nil)
    }

    @Test("a bad signature under a known kid asks for nothing: anybody can make one")
    func badSignature() {
        var memory = TokenMemory(count: 8)
        let refresher = world.refresher()
        rotate(refresher, to: FetchedSets.one, &memory)
        world.advance(20_000)
        #expect(verdict(&memory, FetchedSets.token(.otherRSA, "one")) == .invalidToken)
        refresher.tick()
        #expect(world.requests == 1)
    }

    @Test("another authority with the same origin keeps what its keys in force have verified, also where it is fetched at other times")
    func otherAuthority() throws {
        var memory = TokenMemory(count: 8)
        var sooner = FetchedWorld.origin
        sooner.refresh = 1000
        let refresher = world.refresher()
        let token = FetchedSets.token(.rsa, "one")
        rotate(refresher, to: FetchedSets.one, &memory)
        let first = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        let same = try TokenAuthority(blocks: authority.blocks, after: authority)
        #expect(try memory.credential(for: token.span, directory: 0, authority: same, now: World.now) === first)
        refresher.follow([FetchedWorld.origin, sooner])
        memory.use(world.table)
        let other = try TokenAuthority(blocks: FetchedSets.authority(sooner).blocks, after: same)
        #expect(try memory.credential(for: token.span, directory: 0, authority: other, now: World.now) === first)
        refresher.follow([sooner])
        memory.use(world.table)
        #expect(memory.count == 1)
        // Nobody has fetched these keys for the next one.
        var elsewhere = sooner
        elsewhere.refresh = 2000
        memory.take(try TokenAuthority(blocks: FetchedSets.authority(elsewhere).blocks, after: other))
        #expect(memory.count == 0)
    }

    @Test("blocks share an origin only where everything about it is the same; a secret is never taken from a set")
    func origins() throws {
        let origin = FetchedWorld.origin
        var other = origin
        other.algorithms = [.rs256]
        func block(_ name: String, _ origin: KeyOrigin) throws -> CredentialBlock {
            try CredentialBlock(
                issuer: World.id(name), directory: 0, userFormat: .string, tenantFormat: .string, audiences: nil,
                algorithms: origin.algorithms, origin: origin)
        }
        let authority = try TokenAuthority(blocks: [block("a", origin), block("b", other), block("c", origin)])
        #expect(authority.origins == [origin, other])
        #expect(throws: CredentialBlockError.noKey) {
            try CredentialBlock(
                issuer: World.id("a"), directory: 0, userFormat: .string, tenantFormat: .string, audiences: nil, algorithms: [.hs256])
        }
        world.answer(JWKText.set(JWKText.oct(World.secret, ["kid": "\"one\""])))
        let refresher = world.refresher()
        refresher.tick()
        #expect(refresher.statuses[0].error?.cause == .empty)
    }
}
