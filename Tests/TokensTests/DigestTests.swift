import Policy
import Testing

@testable import Tokens

@Suite struct DigestTests {
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test("SHA-256 gives FIPS 180-4's example")
    func sha256() {
        let text = Array("abc".utf8)
        #expect(Self.hex(Digest.sha256(text.span)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("base64url has one spelling for every run of bytes")
    func base64url() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ count) }
            let text = Base64URL.encode(bytes.span)
            #expect(Base64URL.decode(text.span) == bytes)
        }
    }

    @Test("every byte at every place of a base64url text is read as its own value or refused", arguments: [16, 19])
    func base64urlBytes(_ count: Int) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for place in 0..<count {
            for byte in UInt8.min...UInt8.max {
                var text = [UInt8](repeating: UInt8(ascii: "A"), count: count)
                text[place] = byte
                let decoded = Base64URL.decode(text.span)
                let value = alphabet.firstIndex(of: byte)
                // The last of 19 characters carries two bits that must be zero.
                guard let value, place < 18 || value & 3 == 0 else {
                    #expect(decoded == nil, "\(byte) at \(place)")
                    continue
                }
                var bits = [UInt8](repeating: 0, count: count * 6)
                for bit in 0..<6 { bits[place * 6 + bit] = UInt8(value >> (5 - bit) & 1) }
                let expected = (0..<count * 6 / 8).map { at in bits[at * 8..<at * 8 + 8].reduce(0) { $0 << 1 | $1 } }
                #expect(decoded == expected, "\(byte) at \(place)")
            }
        }
    }

    @Test("blocks that could never serve, or serve somebody else, are refused")
    func blocks() throws {
        let key = try World.secretKey(World.secret, [.hs256])
        func error(
            issuer: String? = "i", audiences: [String]? = ["a"], algorithms: AlgorithmSet = [.hs256], keys: [VerificationKey]? = nil,
            tenants: Set<TenantID>? = nil, leeway: Int64 = 30, lifetime: Int64? = nil
        ) -> CredentialBlockError? {
            Result { () throws(CredentialBlockError) in
                try CredentialBlock(
                    issuer: issuer.map(World.id), directory: 0, userFormat: .string, tenantFormat: .string,
                    audiences: audiences?.map(World.id), algorithms: algorithms, keys: keys ?? [key], boundTenants: tenants,
                    leeway: leeway, maximumLifetime: lifetime)
            }.failure
        }
        #expect(error() == nil && error(issuer: nil) == nil && error(audiences: nil) == nil)
        #expect(error(issuer: "") == .emptyIssuer && error(audiences: []) == .noAudience && error(audiences: [""]) == .noAudience)
        #expect(error(algorithms: []) == .noAlgorithm && error(keys: []) == .noKey && error(algorithms: [.hs512]) == .unusedKey)
        #expect(error(tenants: []) == .noBoundTenant && error(leeway: -1) == .leeway && error(leeway: 301) == .leeway)
        #expect(error(lifetime: 0) == .maximumLifetime)
        #expect(error(keys: Array(repeating: key, count: 4)) == nil && error(keys: Array(repeating: key, count: 5)) == .tooManyKeys)
    }

    @Test("two blocks for one issuer in one directory are refused")
    func sameIssuer() throws {
        let keys = try [World.secretKey(World.secret, [.hs256])]
        let (named, absent) = try (World.block("hs", [.hs256], keys), World.block(nil, [.hs256], keys))
        let elsewhere = try World.block("hs", [.hs256], keys, directory: 1)
        _ = try TokenAuthority(blocks: [named, absent, elsewhere])
        #expect(throws: TokenAuthorityError.sameIssuer(first: 0, second: 2)) { try TokenAuthority(blocks: [named, absent, named]) }
        #expect(throws: TokenAuthorityError.sameIssuer(first: 0, second: 1)) { try TokenAuthority(blocks: [absent, absent]) }
        #expect(throws: TokenAuthorityError.tokenLimit) { try TokenAuthority(blocks: [named], tokenLimit: 65 * 1024) }
    }
}
