import Testing

@testable import Tokens

/// RFC 7519 §4.1, RFC 8725 §3.8 to §3.12, RFC 8693 §4.1, RFC 7800: what a well-signed token may say.
@Suite struct TokenClaimTests {
    @Test("dates are sensible numbers, and the token is good now", arguments: dates)
    func datesHold(_ row: TokenCase) { row.check() }

    @Test("issuer and audience are met exactly", arguments: parties)
    func partiesHold(_ row: TokenCase) { row.check() }

    @Test("user and actors are ids of the directory", arguments: users)
    func usersHold(_ row: TokenCase) { row.check() }

    @Test("tenants are ids, and within what the block may vouch for", arguments: tenants)
    func tenantsHold(_ row: TokenCase) { row.check() }

    @Test("roles, scopes and claims along paths have their types", arguments: shapes)
    func shapesHold(_ row: TokenCase) { row.check() }

    @Test("the payload is one strict JSON object", arguments: objects)
    func objectHold(_ row: TokenCase) { row.check() }

    static let now = World.now

    static func rows(_ claim: String, _ fault: TokenFault?, _ values: [String], issuer: String = "hs", directory: Int = 0) -> [TokenCase] {
        values.map { raw in
            TokenCase(name: "\(claim) \(raw.prefix(60))", token: hs([claim: raw], issuer: issuer), fault: fault, directory: directory)
        }
    }

    static let dates: [TokenCase] = table {
        rows(
            "exp", .date,
            [
                "null", "true", "[]", "{}", "\"\(now + 60)\"", "\"\"", "\"never\"", "-1", "-1.5", "1e300", "1e400", "1e-400", "1e18",
                "\(now + 60)000", "253402300800", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
                "184467440737095516150", String(repeating: "9", count: 60), "[\(now + 60)]",
            ])
        rows("exp", .payload, ["NaN", "Infinity", "-Infinity", "0x7fffffff", "0\(now)", "+\(now)", "\(now).", ".5", "1_000", "17e", "1,5"])
        rows("exp", .expired, ["0", "-0", "0.5", "1", "\(now - 31)", "\(now - 30)", "\(now - 30).9", "1e9"])
        rows("exp", nil, ["\(now - 29)", "\(now - 29).0", "\(now + 60).5", "1.7000001e9", "253402300799", "17000001E2"])
        rows("nbf", .notYetValid, ["\(now + 31)", "\(now + 30).5", "253402300799"])
        rows("nbf", nil, ["\(now + 30)", "\(now + 29).5", "0", "\(now)"])
        rows("nbf", .date, ["null", "\"0\"", "-1", "1e300", "false", "[0]"])
        rows("iat", .notYetValid, ["\(now + 31)", "\(now + 3600)"])
        rows("iat", nil, ["\(now + 30)", "\(now).25", "0"])
        rows("iat", .date, ["null", "\"\(now)\"", "-5", "\(now)000000", "{}"])
        [
            .bad("no exp", .date, hs(["exp": nil])), .good("no iat", hs(["iat": nil])),
            .bad("EXP is no exp", .date, hs(["exp": nil, "EXP": "\(now + 60)"])),
            .good("lifetime as long as allowed", hs(["iat": "\(now)", "exp": "\(now + 3600)"], issuer: "short")),
            .bad("lifetime longer", .lifetime, hs(["iat": "\(now)", "exp": "\(now + 3601)"], issuer: "short")),
            .bad("lifetime without iat", .lifetime, hs(["iat": nil], issuer: "short")),
            .bad("lifetime from nbf alone", .lifetime, hs(["iat": nil, "nbf": "\(now)"], issuer: "short")),
            .bad("no iat where tokens must be fresh", .issuedAt, hs(["iat": nil], issuer: "fresh")),
            .good("iat where tokens must be fresh", hs(["iat": "\(now - 500)"], issuer: "fresh")),
            .bad("expired, and for somebody else: not said to be expired", .audience, hs(["exp": "1", "aud": "\"x\""])),
            .bad("expired, and its user malformed", .user, hs(["exp": "1", "sub": "1"])),
            .bad("expired, and not yet valid", .notYetValid, hs(["exp": "1", "nbf": "\(now + 99)"])),
            .bad("expired, and badly signed", .signature, Forge.token(hsHeader, payload("hs", ["exp": "1"]), .bytes([1, 2, 3]))),
        ]
    }

    static let parties: [TokenCase] = table {
        rows(
            "iss", .issuer,
            [
                "null", "1", "true", "[\"https://hs.example\"]", "{}", "\"\"", "\"https://hs.example/\"", "\"https://HS.example\"",
                "\"HTTPS://hs.example\"", "\"https://hs.example \"", "\" https://hs.example\"", "\"http://hs.example\"",
                "\"https://hs.example.evil.example\"", "\"https://evil.example\"", "\"hs\"", "\"https://e\\u0301.example\"",
                "\"https://hs.example#\"",
            ])
        rows("iss", .payload, ["\"https://hs.example\\u0000\"", "\"https://hs.example\\ud83d\""])
        rows("iss", nil, ["\"https:\\/\\/hs.example\"", "\"https://\\u00e9.example\"", "\"https://\u{e9}.example\""])
        [
            .good("no iss, where a block takes such tokens", hs(["iss": nil])),
            .bad("no iss, where none does", .issuer, hs(["iss": nil]), directory: 1),
            .bad("an issuer of another directory", .issuer, hs([:], issuer: "any"), directory: 1),
            .bad("the same name in another directory, by this one's key", .signature, hs([:]), directory: 1),
            .bad("another issuer, by this one's key", .signature, hs([:], issuer: "hs-all")),
        ]
        rows(
            "aud", .audience,
            [
                "null", "1", "true", "{}", "[]", "\"\"", "\"API\"", "\"api \"", "\"ap\"", "\"api,api-2\"", "\"api api-2\"", "[\"other\"]",
                "[[\"api\"]]", "[\"api\",1]", "[null,\"api\"]", "{\"api\":true}", "\"api\\n\"", "\"*\"",
            ])
        rows("aud", nil, ["\"api\"", "\"api-2\"", "[\"api\"]", "[\"other\",\"api-2\"]", "[\"api\",\"api\"]", "\"\\u0061pi\""])
        [.bad("no aud", .audience, hs(["aud": nil])), .good("no aud, where any is taken", hs(["aud": nil], issuer: "any"))]
        rows("aud", nil, ["\"whatever\"", "[]", "[\"x\"]"], issuer: "any")
        rows("aud", .audience, ["1", "[1]", "null"], issuer: "any")
        rows("cnf", .confirmation, ["{\"jkt\":\"x\"}", "{\"x5t#S256\":\"x\"}", "{}", "null"])
    }

    static let upper = "\"3F2C9A54-8A50-4A0E-9A55-6A3C1B2D4E5F\""

    static func inUUIDs(_ changes: [String: String?]) -> [UInt8] {
        let all = ["sub": upper, "tenant_id": upper].merging(changes) { $1 }
        return Forge.token(hsHeader, payload("hs", all), .secret(World.longSecret, .hs256))
    }

    static let users: [TokenCase] = table {
        rows(
            "sub", .user,
            [
                "null", "1", "true", "[\"u1\"]", "{\"id\":\"u1\"}", "\"\"", "\"u\\u0007\"", "\"u\\n1\"", "\"u\\u007f\"",
                "\"\(String(repeating: "u", count: 257))\"",
            ])
        rows("sub", .payload, ["\"u\\u0000\"", "\"u1\\u0000x\"", "\"\\udc00\""])
        rows("sub", nil, ["\"u 1\"", "\"\u{e9}\"", "\"e\u{301}\"", "\"a@b.example\"", "\"\(String(repeating: "u", count: 256))\""])
        [.bad("no sub", .user, hs(["sub": nil])), .good("uuids", inUUIDs([:]), directory: 1)]
        each([
            "\"u1\"", "\"{3f2c9a54-8a50-4a0e-9a55-6a3c1b2d4e5f}\"", "\"3f2c9a548a504a0e9a556a3c1b2d4e5f\"",
            "\"3f2c9a54-8a50-4a0e-9a55-6a3c1b2d4e5f \"", "\"urn:uuid:3f2c9a54-8a50-4a0e-9a55-6a3c1b2d4e5f\"",
            "\"3f2c9a54-8a50-4a0e-9a55-6a3c1b2d4e5\"",
        ]) { .bad("a uuid is wanted, not \($0)", .user, inUUIDs(["sub": $0]), directory: 1) }
        rows(
            "act", .actor,
            [
                "null", "\"u2\"", "[]", "{}", "{\"sub\":1}", "{\"sub\":\"\"}", "{\"sub\":null}", "{\"SUB\":\"u2\"}",
                "{\"client_id\":\"c\"}",
                "{\"sub\":\"u2\",\"act\":{}}", "{\"sub\":\"u2\",\"act\":\"u3\"}", "{\"sub\":\"u2\",\"act\":{\"sub\":[]}}",
                "{\"sub\":\"u2\",\"iss\":\"https://other.example\"}", "{\"sub\":\"u2\",\"iss\":null}", "[{\"sub\":\"u2\"}]",
            ])
        rows("act", .payload, ["{\"sub\":\"u2\",\"sub\":\"u3\"}", "{\"sub\":\"u2\",\"s\\u0075b\":\"u3\"}"])
        rows(
            "act", nil,
            ["{\"sub\":\"u2\"}", "{\"sub\":\"u2\",\"iss\":\"https://hs.example\"}", "{\"sub\":\"u2\",\"act\":{\"sub\":\"u3\"}}"])
    }

    static let many = (0..<257).map { "\"t\($0)\"" }

    static let tenants: [TokenCase] = table {
        rows(
            "tenant_id", .tenant,
            [
                "null", "1", "true", "{}", "\"\"", "\"t 1\"", "\"t1,t2\"", "\"t\u{e9}\"", "\"t\\t1\"", "[\"t1\",2]", "[\"t1\",null]",
                "[[\"t1\"]]", "[\"\"]", "[\"t1,t2\"]", "[\(many.joined(separator: ","))]",
            ])
        rows("tenant_id", .payload, ["\"t1\\u0000\"", "\"t1\",\"tenant_id\":\"t2\"", "\"t1\",\"tenant\\u005fid\":\"t2\""])
        rows(
            "tenant_id", nil,
            ["\"t1\"", "[\"t1\"]", "[\"t1\",\"t2\"]", "[]", "[\"t1\",\"t1\"]", "[\(many.dropLast().joined(separator: ","))]"])
        [.good("no tenant", hs(["tenant_id": nil]))]
        rows("tenant_id", .boundTenant, ["\"t3\"", "\"T1\"", "[\"t1\",\"t3\"]", "[\"t3\"]", "[]"], issuer: "bound")
        rows("tenant_id", nil, ["\"t1\"", "\"t2\"", "[\"t1\",\"t2\"]", "[\"t2\"]"], issuer: "bound")
        [
            .bad("no tenant, where the block is bound", .boundTenant, hs(["tenant_id": nil], issuer: "bound")),
            .bad("a tenant that is no uuid", .tenant, inUUIDs(["tenant_id": "\"t1\""]), directory: 1),
        ]
    }

    /// The claims of `deep`: the user in `profile.id`, roles by tenant in `org.roles`.
    static func deep(_ changes: [String: String?]) -> [UInt8] {
        let all: [String: String?] = [
            "sub": nil, "tenant_id": nil, "roles": nil, "profile": "{\"id\":\"u1\"}", "https://example.com/tenant": "\"t1\"",
            "org": "{\"roles\":{\"t1\":[\"admin\"],\"t2\":[]}}", "scp": "[\"read\"]",
        ]
        return hs(all.merging(changes) { $1 }, issuer: "deep")
    }

    static let shapes: [TokenCase] = table {
        rows("roles", .roles, ["null", "1", "\"admin\"", "\"admin user\"", "{}", "[1]", "[[\"admin\"]]", "[\"a\",null]"])
        rows("roles", nil, ["[]", "[\"a\"]", "[\"a\",\"b c\",\"\u{e9}\"]"])
        rows("scope", .scopes, ["null", "1", "true", "{}", "[1]", "[\"a\",{}]"])
        rows("scope", nil, ["\"\"", "\"a\"", "\"a b  c \"", "[]", "[\"a\",\"b\"]"])
        [
            .good("no roles, no scopes", hs(["roles": nil, "scope": nil])), .good("paths", deep([:])),
            .bad("the first step is missing", .user, deep(["profile": nil])), .bad("it is no object", .user, deep(["profile": "\"id\""])),
            .bad("it is an array", .user, deep(["profile": "[{\"id\":\"u1\"}]"])), .bad("it is null", .user, deep(["profile": "null"])),
            .bad("the last step is missing", .user, deep(["profile": "{}"])),
            .bad("a dotted name is no path", .user, deep(["profile": nil, "profile.id": "\"u1\""])),
            .bad("a pointer is no path", .user, deep(["profile": nil, "/profile/id": "\"u1\""])),
            .good("no org", deep(["org": nil])), .good("no tenant", deep(["https://example.com/tenant": nil])),
            .bad("roles by tenant are an array", .roles, deep(["org": "{\"roles\":[\"admin\"]}"])),
            .bad("a tenant's roles are a string", .roles, deep(["org": "{\"roles\":{\"t1\":\"admin\"}}"])),
            .bad("a tenant is none", .roles, deep(["org": "{\"roles\":{\"t 1\":[\"admin\"]}}"])),
            .bad("org is a string", .roles, deep(["org": "\"x\""])),
            .bad("the tenant's first step is no object", .tenant, hs(["org": "\"t1\""], issuer: "nested")),
            .bad("nor is an array", .tenant, hs(["org": "[\"t1\"]"], issuer: "nested")),
            .good("tenants deeper down", hs(["org": "{\"ids\":[\"t1\",\"t2\"]}"], issuer: "nested")),
            .good("one tenant deeper down", hs(["org": "{\"ids\":\"t1\"}"], issuer: "nested")),
            .good("none deeper down", hs(["org": "{}"], issuer: "nested")),
        ]
    }

    static let depth16 = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
    static let text = payload()

    /// The good payload with one more member.
    static func more(_ member: String) -> String { String(text.dropLast()) + member }

    static let objects: [TokenCase] = table {
        texts([
            ("a claim twice", more(",\"sub\":\"u2\"}")), ("a claim twice, once escaped", more(",\"s\\u0075b\":\"u2\"}")),
            ("exp twice", more(",\"exp\":9999999999}")), ("iss twice", more(",\"iss\":\"https://hs.example\"}")),
            ("a name twice deeper down", more(",\"x\":[{\"a\":1,\"a\":1}]}")), ("an array", "[\(text)]"), ("a string", "\"x\""),
            ("null", "null"), ("a number", "17"), ("bytes behind it", text + "x"), ("two objects", text + text),
            ("a NUL behind it", text + "\0"),
            ("a byte order mark", "\u{FEFF}" + text), ("a comment", text + "//"), ("too deep", more(",\"x\":[\(depth16)]}")),
            ("half a surrogate", more(",\"x\":\"\\udfff\"}")), ("an escaped NUL", more(",\"x\":\"\\u0000\"}")),
            ("a NUL in a name", more(",\"x\\u0000\":1}")), ("cut short", String(text.dropLast())),
            ("a nested token (RFC 7519 §5.2)", String(decoding: hs([:]), as: UTF8.self)), ("a form", "sub=u1&exp=9999999999"),
        ]) { .bad($0.0, .payload, hs(payload: $0.1)) }
        [
            .bad(
                "bytes that are no UTF-8", .payload,
                hsBytes(Array(text.utf8.dropLast()) + Array(",\"x\":\"".utf8) + [0xED, 0xA0, 0x80, 34, 125])),
            .bad("a number that only we can read", .readersDiffer, hs(["x": "123456789012345678901234567890"])),
            .bad("a number beyond every double", .readersDiffer, hs(["x": "1e400"])),
            .good("as deep as allowed", hs(["x": depth16])),
            .good("names that mean something in JavaScript", hs(["__proto__": "{\"admin\":true}"])),
            .good("white space", hs(payload: " \r\n\t" + text + "\n")), .good("an empty name", hs(["": "1"])),
            .good("names that differ in case or composition", hs(payload: more(",\"SUB\":\"u2\",\"\u{e9}\":1,\"e\u{301}\":2}"))),
        ]
    }

    static func hsBytes(_ payload: [UInt8]) -> [UInt8] { Forge.token(Array(hsHeader.utf8), payload, .secret(World.secret, .hs256)) }
}
