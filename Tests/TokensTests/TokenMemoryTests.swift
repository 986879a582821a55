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
