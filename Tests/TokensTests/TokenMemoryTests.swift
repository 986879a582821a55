import Policy
import Testing

@testable import Tokens

/// What a loop remembers of tokens: bounded, and never more than what was verified for exactly this question.
@Suite struct TokenMemoryTests {
    /// An authority that knows `hs` with this secret only.
    static func authority(_ secret: [UInt8] = World.secret) throws -> TokenAuthority {
        try TokenAuthority(blocks: [World.block("hs", [.hs256], [World.secretKey(secret, [.hs256])])])
    }

    @Test("a token is verified once and then known by identity")
    func remembers() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 8)
        let token = hs([:])
        let first = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        let second = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        #expect(first === second)
        #expect(memory.count == 1)
    }

    @Test("every byte of a remembered token counts")
    func bytes() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 8)
        let token = hs([:])
        _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        for index in token.indices {
            var changed = token
            changed[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: Denial.invalidToken) {
                try memory.credential(for: changed.span, directory: 0, authority: authority, now: World.now)
            }
        }
        #expect(memory.count == 1)
    }

    @Test("a refused token is not remembered")
    func refused() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 8)
        let expired = hs(["exp": "1"])
        #expect(throws: Denial.tokenExpired) {
            try memory.credential(for: expired.span, directory: 0, authority: authority, now: World.now)
        }
        #expect(memory.count == 0)
    }

    @Test("a remembered token expires in the second that it says, leeway included, and is forgotten")
    func expiry() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 8)
        let token = hs(["exp": "\(World.now + 10)"])
        let credential = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        #expect(credential.expires == World.now + 40)
        _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now + 39)
        #expect(throws: Denial.tokenExpired) {
            try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now + 40)
        }
        #expect(memory.count == 0 && memory.bytes == 0)
        #expect(throws: Denial.tokenExpired) {
            try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now + 40)
        }
    }

    @Test("a clock set back makes a remembered token one of the future")
    func clock() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 8)
        let token = hs(["nbf": "\(World.now)"])
        _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        #expect(throws: Denial.invalidToken) {
            try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now - 31)
        }
    }

    @Test("a token that one directory knows is a stranger in another")
    func directory() throws {
        var memory = TokenMemory(count: 8)
        let token = hs([:])
        _ = try memory.credential(for: token.span, directory: 0, authority: World.authority, now: World.now)
        #expect(throws: Denial.invalidToken) {
            try memory.credential(for: token.span, directory: 1, authority: World.authority, now: World.now)
        }
        _ = try memory.credential(for: token.span, directory: 0, authority: World.authority, now: World.now)
    }

    @Test("another authority, another verdict: nothing is carried over a reload")
    func reload() throws {
        let (before, after) = try (Self.authority(), Self.authority(World.otherSecret))
        var memory = TokenMemory(count: 8)
        let token = hs([:])
        _ = try memory.credential(for: token.span, directory: 0, authority: before, now: World.now)
        #expect(throws: Denial.invalidToken) { try memory.credential(for: token.span, directory: 0, authority: after, now: World.now) }
        #expect(memory.count == 0)
        _ = try memory.credential(for: token.span, directory: 0, authority: before, now: World.now)
    }

    /// What a block might say otherwise, one thing at a time.
    private static let changes: [(name: String, change: @Sendable (inout CredentialBlock) throws -> Void)] = [
        ("a key", { $0.keys = [try World.secretKey(World.oldSecret, [.hs256])] }),
        ("a key more", { $0.keys.append(try World.secretKey(World.oldSecret, [.hs256])) }),
        ("issuer", { $0.issuer = World.id("https://other.example") }), ("audiences", { $0.audiences = [World.id("api")] }),
        ("any audience", { $0.audiences = nil }), ("user format", { $0.userFormat = .uuid }),
        ("tenant format", { $0.tenantFormat = .uuid }), ("user claim", { $0.claims.user = ClaimPath(["email"])! }),
        ("roles claim", { $0.claims.roles = .byTenant(ClaimPath(["roles"])!) }), ("tenants", { $0.boundTenants = [World.tenant("t1")] }),
        ("leeway", { $0.leeway = 0 }), ("lifetime", { $0.maximumLifetime = 3600 }), ("fresh tokens", { $0.wantsFreshTokens = true }),
        ("directory", { $0.directory = 1 }),
    ]

    @Test("a change of one block forgets what it has verified and nothing else, also where blocks get other numbers")
    func carried() throws {
        func block(_ name: String) throws -> CredentialBlock { try World.block(name, [.hs256], [World.secretKey(World.secret, [.hs256])]) }
        let (kept, other) = (hs([:], issuer: "any"), hs([:]))
        for (name, change) in Self.changes {
            let before = try TokenAuthority(blocks: [block("any"), block("hs")])
            var changed = try block("hs")
            try change(&changed)
            let after = try TokenAuthority(blocks: [block("new"), changed, block("any")], after: before)
            var memory = TokenMemory(count: 8)
            for token in [kept, other] { _ = try memory.credential(for: token.span, directory: 0, authority: before, now: World.now) }
            memory.take(after)
            #expect(memory.count == 1, "\(name)")
            let credential = try memory.credential(for: kept.span, directory: 0, authority: after, now: World.now)
            #expect(memory.misses == 2 && credential.block == 2 && credential.expires == World.now + 630, "\(name)")
            _ = try? memory.credential(for: other.span, directory: 0, authority: after, now: World.now)
            #expect(memory.misses == 3, "\(name)")
            // One that came after another one than this memory's tells nothing.
            let later = try TokenAuthority(blocks: after.blocks, after: TokenAuthority(blocks: after.blocks))
            memory.take(later)
            #expect(memory.count == 0, "\(name)")
        }
        let before = try TokenAuthority(blocks: [block("any")])
        var memory = TokenMemory(count: 8)
        _ = try memory.credential(for: kept.span, directory: 0, authority: before, now: World.now)
        memory.take(try TokenAuthority(blocks: before.blocks, tokenLimit: 8191, after: before))
        #expect(memory.count == 0, "a token may be too long now")
    }

    @Test("count stays bounded, and a token asked for again and again stays")
    func count() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 64)
        let kept = hs(["jti": "\"kept\""])
        let first = try memory.credential(for: kept.span, directory: 0, authority: authority, now: World.now)
        for number in 0..<500 {
            let token = hs(["jti": "\"\(number)\""])
            _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
            #expect(memory.count <= 64)
            let again = try memory.credential(for: kept.span, directory: 0, authority: authority, now: World.now)
            #expect(again === first)
        }
    }

    @Test("tokens that come once push out nobody, one that comes again gets its place")
    func flood() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 64)
        func ask(_ name: String) throws -> Credential {
            try memory.credential(for: hs(["jti": "\"\(name)\""]).span, directory: 0, authority: authority, now: World.now)
        }
        // Eight fit wherever they fall.
        let first = try (0..<8).map { try ask("early \($0)") }
        for number in 0..<2000 { _ = try ask("once \(number)") }
        #expect(memory.count == 64)
        for number in first.indices { #expect(try ask("early \(number)") === first[number]) }
        _ = try ask("again")
        let second = try ask("again")
        #expect(try ask("again") === second)
    }

    @Test("bytes stay bounded, and a token beyond the bound is verified but not remembered")
    func byteBound() throws {
        let authority = try Self.authority()
        var memory = TokenMemory(count: 1024, bytes: 20_000)
        for number in 0..<200 {
            let token = hs(["jti": "\"\(number)\""])
            _ = try memory.credential(for: token.span, directory: 0, authority: authority, now: World.now)
            #expect(memory.bytes <= 20_000)
        }
        #expect(memory.count > 5)
        var tiny = TokenMemory(count: 8, bytes: 100)
        let token = hs([:])
        _ = try tiny.credential(for: token.span, directory: 0, authority: authority, now: World.now)
        #expect(tiny.count == 0 && tiny.bytes == 0)
    }
}
