import Testing

@testable import Tokens

/// RFC 8725 §3.1, §3.2, §3.10, §3.11: the header chooses nothing but which of the operator's keys is tried.
@Suite struct TokenHeaderTests {
    @Test("alg is one of the allowed, spelled exactly", arguments: algorithms)
    func algorithmHold(_ row: TokenCase) { row.check() }

    @Test("typ says access token or nothing", arguments: types)
    func typeHold(_ row: TokenCase) { row.check() }

    @Test("no extension of JWS is taken, no key out of the header used", arguments: extensions)
    func extensionsHold(_ row: TokenCase) { row.check() }

    @Test("kid only picks among the block's keys", arguments: keyNames)
    func keyNameHold(_ row: TokenCase) { row.check() }

    @Test("the header is one strict JSON object", arguments: objects)
    func objectHold(_ row: TokenCase) { row.check() }

    /// Signed as if the header were good: the signature is never what saves us here.
    static func hs256(_ header: String) -> [UInt8] { hs([:], header: header) }

    static func alg(_ name: String, _ raw: String, _ fault: TokenFault) -> TokenCase {
        .bad("alg \(name)", fault, hs256("{\"alg\":\(raw),\"typ\":\"JWT\"}"))
    }

    static let algorithms: [TokenCase] = table {
        each(["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "n\\u006fne", "", "null", "0"]) {
            alg("\($0) (CVE-2015-9235, CVE-2020-28042)", "\"\($0)\"", .unknownAlgorithm)
        }
        [
            alg("hs256 (case, libjwt)", "\"hs256\"", .unknownAlgorithm), alg("Hs256", "\"Hs256\"", .unknownAlgorithm),
            alg("with a space", "\"HS256 \"", .unknownAlgorithm), alg("with a newline", "\"HS256\\n\"", .unknownAlgorithm),
            alg("with a NUL", "\"HS256\\u0000\"", .header), alg("cut short", "\"HS25\"", .unknownAlgorithm),
            alg("drawn out", "\"HS2566\"", .unknownAlgorithm), alg("HS1", "\"HS1\"", .unknownAlgorithm),
            alg("ES256K", "\"ES256K\"", .unknownAlgorithm), alg("RS1", "\"RS1\"", .unknownAlgorithm),
            alg("Ed25519", "\"Ed25519\"", .unknownAlgorithm), alg("RSA1_5", "\"RSA1_5\"", .unknownAlgorithm),
            alg("dir", "\"dir\"", .unknownAlgorithm), alg("PBES2 (CVE-2022-36083)", "\"PBES2-HS256+A128KW\"", .unknownAlgorithm),
            alg("in Cyrillic letters", "\"НЅ256\"", .unknownAlgorithm), alg("two", "\"HS256,RS256\"", .unknownAlgorithm),
            alg("null", "null", .headerType), alg("a number", "256", .headerType), alg("true", "true", .headerType),
            alg("an array (CVE-2016-5431)", "[\"HS256\"]", .headerType), alg("an object", "{\"HS256\":1}", .headerType),
            .bad("no alg", .headerType, hs256("{\"typ\":\"JWT\"}")), .bad("an empty header", .headerType, hs256("{}")),
            .bad("ALG", .headerType, hs256("{\"ALG\":\"HS256\"}")),
            .bad("none without a signature", .form, Forge.token("{\"alg\":\"none\"}", payload(), .bytes([]))),
            alg("HS384, not allowed", "\"HS384\"", .algorithm), alg("RS256, not allowed", "\"RS256\"", .algorithm),
            alg("PS256, not allowed", "\"PS256\"", .algorithm), alg("ES256, not allowed", "\"ES256\"", .algorithm),
            alg("EdDSA, not allowed", "\"EdDSA\"", .algorithm),
            .good("alg written with an escape", hs256("{\"\\u0061lg\":\"H\\u0053256\"}")),
        ]
    }

    static func typ(_ raw: String) -> [UInt8] { hs256("{\"alg\":\"HS256\",\"typ\":\(raw)}") }

    static let types: [TokenCase] = table {
        each(["JWT", "at+jwt", "application/at+jwt", "application\\/at+jwt"]) { .good($0, typ("\"\($0)\"")) }
        [
            .good("absent", hs256("{\"alg\":\"HS256\"}"))
        ]
        each([
            "secevent+jwt", "logout+jwt", "dpop+jwt", "id_token+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "kb+jwt",
            "vc+sd-jwt", "JOSE", "JOSE+JSON", "JWE", "jwt", "Jwt", "AT+JWT", "application/jwt", "JWT ", "", "at+jwt;x=1",
            "application/secevent+jwt",
        ]) { .bad("\"\($0)\"", .typ, typ("\"\($0)\"")) }
        each(["null", "1", "true", "[\"JWT\"]", "{}"]) { .bad($0, .headerType, typ($0)) }
    }

    static func with(_ member: String) -> [UInt8] { hs256("{\"alg\":\"HS256\",\(member)}") }

    static let attackerJWK = JWKText.rsa(.otherRSA, ["kid": "\"r1\""])

    static func rsByAttacker(_ member: String) -> [UInt8] {
        Forge.token("{\"alg\":\"RS256\",\(member)}", payload("rs"), .key(.otherRSA, .rs256))
    }

    static let extensions: [TokenCase] = table {
        each([
            #""crit":["exp"]"#, #""crit":["b64"],"b64":false"#, #""crit":["b64"],"b64":true"#, #""crit":[]"#, #""crit":null"#,
            #""crit":"exp""#, #""crit":["http://example.com/ext"],"http://example.com/ext":true"#, #""crit":["alg"]"#,
            #""cr\u0069t":["exp"]"#, #""b64":false"#, #""b64":null"#, #""b64":"false""#, #""b64":0"#, #""zip":"DEF""#, #""zip":null"#,
            #""enc":"A128GCM""#, #""enc":null"#,
        ]) { .bad($0, .unsupportedHeader, with($0)) }
        [
            .good("b64 true says nothing", with(#""b64":true"#)), .good("an unknown parameter", with(#""x":{"y":[1]}"#)),
            .good("cty", with(#""cty":"JWT""#)), .good("CRIT is no crit", with(#""CRIT":["x"]"#)),
            .bad("jwk: the attacker's own key (CVE-2018-0114)", .signature, rsByAttacker("\"jwk\":\(attackerJWK)")),
            .bad("jku", .signature, rsByAttacker(#""jku":"https://evil.example/jwks.json""#)),
            .bad("jku to a file", .signature, rsByAttacker(#""jku":"file:///etc/passwd""#)),
            .bad("x5u", .signature, rsByAttacker(#""x5u":"https://evil.example/chain.pem""#)),
            .bad("x5c", .signature, rsByAttacker("\"x5c\":[\"\(certificate)\"]")),
            .bad("x5c and kid", .signature, rsByAttacker("\"kid\":\"x\",\"x5c\":[\"\(certificate)\"]")),
            .bad("jwk: a secret as key", .signature, Forge.token(octHeader, payload(), .secret(World.otherSecret, .hs256))),
            .good("jwk beside a good signature is ignored", with("\"jwk\":\(attackerJWK)")),
            .good("jku, x5u, x5c, x5t beside one", with(#""jku":"https://e.example","x5u":"u","x5c":["x"],"x5t":"t""#)),
        ]
    }

    static let octHeader = "{\"alg\":\"HS256\",\"jwk\":\(JWKText.oct(World.otherSecret))}"

    static let certificate = String(
        decoding: SigningKey.otherRSA.certificatePEM.split(separator: 10).dropFirst().dropLast().joined(), as: UTF8.self)

    static func set(_ header: String, _ signer: Signer) -> [UInt8] { Forge.token(header, payload("set"), signer) }

    static func rsKid(_ kid: String) -> [UInt8] { set("{\"alg\":\"RS256\",\"kid\":\(kid)}", .key(.rsa, .rs256)) }

    static let keyNames: [TokenCase] = table {
        [
            .good("r1", rsKid("\"r1\"")), .good("r1 with an escape", rsKid("\"\\u00721\"")),
            .good("e1", set(#"{"alg":"ES256","kid":"e1"}"#, .key(.p256, .es256))),
            .good("d1", set(#"{"alg":"EdDSA","kid":"d1"}"#, .key(.ed25519, .edDSA))),
            .good("none: every fitting key is tried", set(#"{"alg":"RS256"}"#, .key(.rsa, .rs256))),
            .good("any, where the block's key has no name", with(#""kid":"2024-01""#)),
            .bad("of a key of another type", .key, set(#"{"alg":"RS256","kid":"e1"}"#, .key(.rsa, .rs256))),
            .bad("of a key of another type, the other way", .key, set(#"{"alg":"ES256","kid":"r1"}"#, .key(.p256, .es256))),
        ]
        each(["R1", "r1 ", "r2", "", "r", "r11", "../r1", "r1;", "*", "r1\\u0001"]) { .bad("kid \"\($0)\"", .key, rsKid("\"\($0)\"")) }
        each(["null", "1", "[\"r1\"]", "{\"r1\":1}", "true"]) { .bad("kid \($0)", .headerType, rsKid($0)) }
        [
            .bad("kid with a NUL", .header, rsKid("\"r1\\u0000\"")),
            .bad("kid ../../dev/null, signed with nothing", .signature, signedByNothing("../../../../dev/null")),
            .bad("kid with SQL, signed with what it selects", .signature, signedByNothing("x' UNION SELECT ''; --")),
            .bad("kid with a shell command (CVE-2017-17405)", .signature, signedByNothing("| touch /tmp/x")),
        ]
    }

    static func signedByNothing(_ kid: String) -> [UInt8] {
        Forge.token("{\"alg\":\"HS256\",\"kid\":\"\(kid)\"}", payload(), .secret([], .hs256))
    }

    static let depth16 = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)

    static let objects: [TokenCase] = table {
        texts([
            ("alg twice, good one last", #"{"alg":"none","alg":"HS256"}"#), ("alg twice, good one first", #"{"alg":"HS256","alg":"none"}"#),
            ("alg twice, once escaped", #"{"alg":"HS256","\u0061lg":"HS256"}"#), ("kid twice", #"{"alg":"HS256","kid":"a","kid":"a"}"#),
            ("a name twice deeper down", #"{"alg":"HS256","x":{"a":1,"a":2}}"#), ("an array", #"["HS256"]"#), ("a string", #""HS256""#),
            ("null", "null"), ("a number", "1"), ("bytes behind it", #"{"alg":"HS256"}x"#), ("a second object", #"{"alg":"HS256"}{}"#),
            ("a NUL behind it", "{\"alg\":\"HS256\"}\0"), ("a comment", #"{"alg":"HS256"/**/}"#), ("single quotes", "{'alg':'HS256'}"),
            ("bare names", #"{alg:"HS256"}"#), ("a comma too many", #"{"alg":"HS256",}"#), ("cut short", #"{"alg":"HS256""#),
            ("NaN", #"{"alg":"HS256","x":NaN}"#), ("a byte order mark", "\u{FEFF}{\"alg\":\"HS256\"}"),
            ("half a surrogate", #"{"alg":"HS256","x":"\ud800"}"#), ("a raw newline in a string", "{\"alg\":\"HS256\",\"x\":\"\n\"}"),
            ("an unknown escape", #"{"alg":"HS256","x":"\x41"}"#), ("too deep", "{\"alg\":\"HS256\",\"x\":[\(depth16)]}"),
            ("a leading zero", #"{"alg":"HS256","x":01}"#), ("white space alone", "  "),
        ]) { .bad($0.0, .header, hs256($0.1)) }
        [
            .bad("bytes that are no UTF-8", .header, hsBytes(Array("{\"alg\":\"HS256\",\"x\":\"".utf8) + [0xFF] + Array("\"}".utf8))),
            .bad("an overlong slash", .header, hsBytes(Array("{\"alg\":\"HS256\",\"x\":\"".utf8) + [0xC0, 0xAF] + Array("\"}".utf8))),
            .bad("UTF-16", .header, hsBytes("{\"alg\":\"HS256\"}".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })),
            .good("as deep as allowed", hs256("{\"alg\":\"HS256\",\"x\":\(depth16)}")),
            .good("white space", hs256(" {\r\n\t\"alg\" : \"HS256\" } ")), .good("nothing but alg", hs256(#"{"alg":"HS256"}"#)),
        ]
    }

    static func hsBytes(_ header: [UInt8]) -> [UInt8] { Forge.token(header, Array(payload().utf8), .secret(World.secret, .hs256)) }
}
