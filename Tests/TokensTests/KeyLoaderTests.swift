import Glibc
import Testing

@testable import Tokens

/// SPEC §2, RFC 7517, RFC 7518 §6: a key is sound, fits, and is meant for checking signatures, or it is not loaded.
@Suite struct KeyLoaderTests {
    struct SecretCase: Sendable, CustomTestStringConvertible {
        let name: String
        let file: [UInt8]
        var encoding = SecretEncoding.utf8
        var allowed: AlgorithmSet = [.hs256]
        var error: KeyError?
        var testDescription: String { name }

        init(
            _ name: String, _ file: String, _ encoding: SecretEncoding = .utf8, _ allowed: AlgorithmSet = [.hs256], _ error: KeyError? = nil
        ) {
            self.name = name
            self.file = Array(file.utf8)
            self.encoding = encoding
            self.allowed = allowed
            self.error = error
        }
    }

    static let text = "0123456789abcdef0123456789abcdef"
    static let zeros = String(repeating: "A", count: 43)

    static let secrets: [SecretCase] = [
        SecretCase("as it is", text), SecretCase("one newline is stripped", text + "\n"), SecretCase("one CRLF is stripped", text + "\r\n"),
        SecretCase("base64", zeros + "=", .base64), SecretCase("base64 without padding", zeros, .base64),
        SecretCase("base64 and a newline", zeros + "=\n", .base64), SecretCase("the url alphabet", "-_" + zeros.dropFirst(2), .base64),
        SecretCase("hex", text + text, .hex), SecretCase("hex in capitals", (text + text).uppercased() + "\n", .hex),
        SecretCase("empty", "", .utf8, [.hs256], .emptySecret), SecretCase("a newline alone", "\n", .utf8, [.hs256], .emptySecret),
        SecretCase("31 bytes", String(text.dropLast()) + "\n", .utf8, [.hs256], .secretTooShort(bytes: 31, algorithm: .hs256)),
        SecretCase("long enough for one of two", text, .utf8, [.hs256, .hs512], .secretTooShort(bytes: 32, algorithm: .hs512)),
        SecretCase("for RSA", text, .utf8, [.rs256], .servesNoAlgorithm(.secret)),
        SecretCase("a public key", "-----BEGIN PUBLIC KEY-----\n" + text, .utf8, [.hs256], .secretIsPEM),
        SecretCase("base64 with a space", zeros + " ", .base64, [.hs256], .notBase64),
        SecretCase("base64 on two lines", zeros + "=\n\n", .base64, [.hs256], .notBase64),
        SecretCase("base64 with wrong padding", zeros + "==", .base64, [.hs256], .notBase64),
        SecretCase("base64 with padding inside", "AAA=" + zeros, .base64, [.hs256], .notBase64),
        SecretCase("hex of odd length", text + text + "0", .hex, [.hs256], .notHex),
        SecretCase("hex with a letter", text + String(text.dropLast()) + "g", .hex, [.hs256], .notHex),
    ]

    @Test("a secret's file is read as its encoding says", arguments: secrets)
    func secret(_ row: SecretCase) {
        let result = Result { () throws(KeyError) in try KeyLoader.secret(row.file, encoding: row.encoding, allowed: row.allowed) }
        #expect(result.failure == row.error)
    }

    @Test("only one newline is stripped, and nothing else")
    func newline() throws {
        func bytes(_ file: String) throws -> [UInt8]? {
            guard case .secret(let secret) = try KeyLoader.secret(Array(file.utf8), encoding: .utf8, allowed: [.hs256]).material else {
                return nil
            }
            return secret
        }
        #expect(try bytes(Self.text + "\n\n") == Array((Self.text + "\n").utf8))
        #expect(try bytes(" " + Self.text + " ") == Array((" " + Self.text + " ").utf8))
    }

    @Test("bytes that are no UTF-8 are not taken for text")
    func notText() {
        #expect(throws: KeyError.notUTF8) { try KeyLoader.secret([UInt8](repeating: 0xFF, count: 32), encoding: .utf8, allowed: [.hs256]) }
    }

    struct PEMCase: Sendable, CustomTestStringConvertible {
        let name: String
        let file: [UInt8]
        let allowed: AlgorithmSet
        let error: KeyError?
        var testDescription: String { name }

        init(_ name: String, _ file: [UInt8], _ allowed: AlgorithmSet, _ error: KeyError? = nil) {
            (self.name, self.file, self.allowed, self.error) = (name, file, allowed, error)
        }
    }

    static let pems: [PEMCase] = [
        PEMCase("an RSA key", SigningKey.rsa.publicPEM, [.rs256]), PEMCase("for PSS", SigningKey.rsa.publicPEM, [.ps512]),
        PEMCase("text around it", Array("Our key:\n".utf8) + SigningKey.rsa.publicPEM + Array("\nBye\n".utf8), [.rs256]),
        PEMCase("a certificate, dates aside", SigningKey.rsa.certificatePEM, [.rs256]),
        PEMCase("P-256", SigningKey.p256.publicPEM, [.es256]), PEMCase("P-521", SigningKey.p521.publicPEM, [.es512, .rs256]),
        PEMCase("Ed25519", SigningKey.ed25519.publicPEM, [.edDSA]),
        PEMCase("nothing", [], [.rs256], .notPEM), PEMCase("text", Array("hello".utf8), [.rs256], .notPEM),
        PEMCase("DER", SigningKey.rsa.publicDER, [.rs256], .notPEM),
        PEMCase("two keys", SigningKey.rsa.publicPEM + SigningKey.rsa.publicPEM, [.rs256], .severalPEMBlocks),
        PEMCase("a private key", SigningKey.rsa.privatePEM, [.rs256], .privateKey),
        PEMCase("an EC private key", SigningKey.p256.privatePEM, [.es256], .privateKey),
        PEMCase("another block", Array("-----BEGIN X-----\nAAAA\n-----END X-----\n".utf8), [.rs256], .unsupportedPEM(label: "X")),
        PEMCase("a broken key", Array("-----BEGIN PUBLIC KEY-----\nMAAA\n-----END PUBLIC KEY-----\n".utf8), [.rs256], .invalidKey),
        PEMCase("1024 bits", SigningKey.smallRSA.publicPEM, [.rs256], .rsaSize(bits: 1024)),
        PEMCase("secp256k1", SigningKey.secp256k1.publicPEM, [.es256], .unsupportedCurve),
        PEMCase("Ed448", SigningKey.ed448.publicPEM, [.edDSA], .unsupportedType),
        PEMCase("P-384 for ES256", SigningKey.p384.publicPEM, [.es256], .servesNoAlgorithm(.ec(.p384))),
        PEMCase("RSA for HMAC: the confusion that must not load", SigningKey.rsa.publicPEM, [.hs256], .servesNoAlgorithm(.rsa)),
        PEMCase("RSA for EC", SigningKey.rsa.publicPEM, [.es256], .servesNoAlgorithm(.rsa)),
    ]

    @Test("a PEM file holds one public key that fits", arguments: pems)
    func pem(_ row: PEMCase) {
        let result = Result { () throws(KeyError) in try KeyLoader.pem(row.file, allowed: row.allowed) }
        #expect(result.failure == row.error)
    }

    struct JWKCase: Sendable, CustomTestStringConvertible {
        let name: String
        let jwk: String
        let outcome: Outcome
        var testDescription: String { name }
        enum Outcome: Equatable { case key, leftOut, bad(KeyError) }

        init(_ name: String, _ jwk: String, _ outcome: Outcome) { (self.name, self.jwk, self.outcome) = (name, jwk, outcome) }
    }

    static let modulus = JWKText.encoded(SigningKey.rsa.number("n"))

    static let jwks: [JWKCase] = [
        JWKCase("RSA", JWKText.rsa(.rsa), .key), JWKCase("for signatures", JWKText.rsa(.rsa, ["use": "\"sig\""]), .key),
        JWKCase("to verify", JWKText.rsa(.rsa, ["key_ops": "[\"verify\"]"]), .key),
        JWKCase("its own alg", JWKText.rsa(.rsa, ["alg": "\"RS256\""]), .key),
        JWKCase("exponent 3", JWKText.rsa(.rsa, ["e": "\"Aw\""]), .key),
        JWKCase("EC", JWKText.ec(.p256, "P-256", width: 32), .key), JWKCase("OKP", JWKText.okp(.ed25519, "Ed25519"), .key),
        JWKCase("oct", JWKText.oct(World.secret), .key),
        JWKCase("x5c beside the key is ignored", JWKText.rsa(.rsa, ["x5c": "[\"AAAA\"]"]), .key),
        JWKCase("an unknown kty", #"{"kty":"AKP","pub":"AA"}"#, .leftOut),
        JWKCase("kty in small letters", #"{"kty":"rsa"}"#, .leftOut),
        JWKCase("secp256k1", JWKText.ec(.p256, "secp256k1", width: 32), .leftOut), JWKCase("Ed448", JWKText.okp(.ed448, "Ed448"), .leftOut),
        JWKCase("X25519", JWKText.okp(.ed25519, "X25519"), .leftOut),
        JWKCase("an alg that isn't allowed here", JWKText.rsa(.rsa, ["alg": "\"PS512\""]), .leftOut),
        JWKCase("a curve that isn't", JWKText.ec(.p384, "P-384", width: 48), .leftOut),
        JWKCase("no kty", #"{"n":"AQAB"}"#, .bad(.member("kty"))), JWKCase("kty a number", #"{"kty":1}"#, .bad(.member("kty"))),
        JWKCase("for encryption", JWKText.rsa(.rsa, ["use": "\"enc\""]), .bad(.notForSignatures)),
        JWKCase("use SIG", JWKText.rsa(.rsa, ["use": "\"SIG\""]), .bad(.notForSignatures)),
        JWKCase("use null", JWKText.rsa(.rsa, ["use": "null"]), .bad(.member("use"))),
        JWKCase("to sign only", JWKText.oct(World.secret, ["key_ops": "[\"sign\"]"]), .bad(.notForSignatures)),
        JWKCase("to encrypt too", JWKText.rsa(.rsa, ["key_ops": "[\"verify\",\"encrypt\"]"]), .bad(.notForSignatures)),
        JWKCase("no operation", JWKText.rsa(.rsa, ["key_ops": "[]"]), .bad(.notForSignatures)),
        JWKCase("one twice", JWKText.rsa(.rsa, ["key_ops": "[\"verify\",\"verify\"]"]), .bad(.member("key_ops"))),
        JWKCase("key_ops a string", JWKText.rsa(.rsa, ["key_ops": "\"verify\""]), .bad(.member("key_ops"))),
        JWKCase("RSA with d", JWKText.rsa(.rsa, ["d": "\"AQAB\""]), .bad(.privateKey)),
        JWKCase("RSA with a factor", JWKText.rsa(.rsa, ["p": "\"AQAB\""]), .bad(.privateKey)),
        JWKCase("EC with d", JWKText.ec(.p256, "P-256", width: 32, ["d": "\"AQAB\""]), .bad(.privateKey)),
        JWKCase("OKP with d", JWKText.okp(.ed25519, "Ed25519", ["d": "\"AQAB\""]), .bad(.privateKey)),
        JWKCase("RSA with a secret", JWKText.rsa(.rsa, ["k": "\"AQAB\""]), .bad(.privateKey)),
        JWKCase("RSA for encryption by alg", JWKText.rsa(.rsa, ["alg": "\"RSA-OAEP\""]), .bad(.unsupportedAlgorithm)),
        JWKCase("RSA with alg HS256", JWKText.rsa(.rsa, ["alg": "\"HS256\""]), .bad(.unsupportedAlgorithm)),
        JWKCase("oct with alg RS256", JWKText.oct(World.secret, ["alg": "\"RS256\""]), .bad(.unsupportedAlgorithm)),
        JWKCase("P-256 with alg ES384", JWKText.ec(.p256, "P-256", width: 32, ["alg": "\"ES384\""]), .bad(.unsupportedAlgorithm)),
        JWKCase("alg none", JWKText.oct(World.secret, ["alg": "\"none\""]), .bad(.unsupportedAlgorithm)),
        JWKCase("1024 bits", JWKText.rsa(.smallRSA), .bad(.rsaSize(bits: 1024))),
        JWKCase("exponent 1", JWKText.rsa(.rsa, ["e": "\"AQ\""]), .bad(.rsaExponent)),
        JWKCase("exponent 2", JWKText.rsa(.rsa, ["e": "\"Ag\""]), .bad(.rsaExponent)),
        JWKCase("exponent 65536", JWKText.rsa(.rsa, ["e": "\"AQAA\""]), .bad(.rsaExponent)),
        JWKCase("an exponent of 2048 bits", JWKText.rsa(.rsa, ["e": modulus]), .bad(.rsaExponent)),
        JWKCase("padded base64", JWKText.rsa(.rsa, ["e": "\"AQAB=\""]), .bad(.member("e"))),
        JWKCase("no modulus", JWKText.rsa(.rsa, ["n": nil]), .bad(.member("n"))),
        JWKCase(
            "an even modulus", JWKText.rsa(.rsa, ["n": JWKText.encoded(SigningKey.rsa.number("n").dropLast() + [0])]), .bad(.invalidKey)),
        JWKCase("a point off the curve", JWKText.ec(.p256, "P-256", width: 32, ["y": "\"\(zeros)\""]), .bad(.invalidKey)),
        JWKCase("P-384's point on P-256", JWKText.ec(.p384, "P-256", width: 48), .bad(.member("x"))),
        JWKCase(
            "a coordinate one byte short", JWKText.ec(.p256, "P-256", width: 32, ["x": "\"\(zeros.dropLast(2))\""]), .bad(.member("x"))),
        JWKCase("Ed25519 of 31 bytes", JWKText.okp(.ed25519, "Ed25519", ["x": "\"\(zeros.dropLast(2))\""]), .bad(.member("x"))),
        JWKCase("a short secret", JWKText.oct(Array(World.secret.prefix(31))), .bad(.secretTooShort(bytes: 31, algorithm: .hs256))),
        JWKCase("an empty secret", JWKText.oct([]), .bad(.emptySecret)),
        JWKCase("kid a number", JWKText.rsa(.rsa, ["kid": "1"]), .bad(.member("kid"))),
        JWKCase("kid of 256 bytes", JWKText.rsa(.rsa, ["kid": "\"\(String(repeating: "k", count: 256))\""]), .key),
        JWKCase("kid of 257 bytes", JWKText.rsa(.rsa, ["kid": "\"\(String(repeating: "k", count: 257))\""]), .bad(.kidTooLong)),
    ]

    @Test("a member of a key set is a key, is left out, or is named as bad", arguments: jwks)
    func jwk(_ row: JWKCase) throws {
        let reading = try KeySetReading(JWKText.set(row.jwk), allowed: [.hs256, .rs256, .es256, .edDSA])
        switch row.outcome {
        case .key: #expect(reading.keys.count == 1 && reading.problems.isEmpty)
        case .leftOut: #expect(reading.keys.isEmpty && reading.problems.isEmpty)
        case .bad(let error): #expect(reading.keys.isEmpty && reading.problems.map(\.error) == [error])
        }
    }

    @Test("a key set's file serves whole, or every bad key is named")
    func file() throws {
        #expect(try KeyLoader.keySetFile(JWKText.set, allowed: [.rs256, .es256, .edDSA]).count == 3)
        let bad = JWKText.set(JWKText.rsa(.rsa), JWKText.rsa(.smallRSA, ["kid": "\"old\""]), #"{"kty":1}"#)
        #expect(
            throws: KeyError.badKeys([
                KeyProblem(index: 1, kid: "old", error: .rsaSize(bits: 1024)), KeyProblem(index: 2, kid: nil, error: .member("kty")),
            ])
        ) { try KeyLoader.keySetFile(bad, allowed: [.rs256]) }
        let twice = JWKText.set(JWKText.rsa(.rsa, ["kid": "\"a\""]), JWKText.rsa(.otherRSA, ["kid": "\"a\""]))
        #expect(throws: KeyError.badKeys([KeyProblem(index: 1, kid: "a", error: .duplicateKid)])) {
            try KeyLoader.keySetFile(twice, allowed: [.rs256])
        }
        #expect(throws: KeyError.noUsableKey) { try KeyLoader.keySetFile(JWKText.set(), allowed: [.rs256]) }
        #expect(throws: KeyError.noUsableKey) { try KeyLoader.keySetFile(JWKText.set, allowed: [.hs256, .es384]) }
    }

    @Test("of many bad keys eight are named, the others counted")
    func manyBadKeys() {
        let bad = (0..<256).map { #"{"kty":"RSA","kid":"key-\#($0)"}"# }
        let set = Array("{\"keys\":[\(bad.joined(separator: ","))]}".utf8)
        let error = Result { () throws(KeyError) in try KeyLoader.keySetFile(set, allowed: [.rs256]) }.failure
        let text = error?.description ?? ""
        #expect(text.contains("keys[0] (kid key-0): ") && text.contains("keys[7] (kid key-7): ") && !text.contains("keys[8]"))
        #expect(text.hasSuffix("; and 248 more"))
    }

    @Test("a set of as many large RSA keys as a set may have is read at once")
    func largeSet() throws {
        let keys = (0..<256).map { JWKText.rsa(.wideRSA, ["kid": "\"\($0)\""]) }
        let set = Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8)
        let start = threadCPU()
        #expect(try KeySetReading(set, allowed: [.rs256]).keys.count == 256)
        let milliseconds = (threadCPU() - start) / 1_000_000
        print("256 RSA keys of 3072 bits: \(milliseconds) ms CPU")
        // A test for small factors and primality takes 15 ms a key.
        #expect(milliseconds < 1500)
    }

    @Test("what is no key set is refused", arguments: ["{}", "[]", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":null}", "{\"Keys\":[]}"])
    func notASet(_ text: String) {
        #expect(throws: KeyError.notAKeySet) { try KeyLoader.keySetFile(Array(text.utf8), allowed: [.rs256]) }
    }
}

/// Nanoseconds of CPU time of this thread.
private func threadCPU() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

extension Result {
    /// The error, if it is one.
    var failure: Failure? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
}
