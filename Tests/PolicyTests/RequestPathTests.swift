import Policy
import TestSupport
import Testing

/// The normal form of paths (SPEC §5): every refusal stands beside a neighbour that must pass.
@Suite struct RequestPathTests {
    @Test(
        "a path that is canonical already is taken as received, without a copy",
        arguments: [
            "/", "/v1", "/v1/", "/v1/users/17", "/v1/users/17/", "/a.b", "/.well-known/jwks.json", "/...", "/.../x", "/a..", "/..a",
            "/-._~", "/!$&'()*+,=:@", "/a%20b", "/%3A", "/%40me", "/%C3%A9", "/%E2%82%AC", "/%F0%9F%98%80", "/%EF%BF%BF", "/%ED%9F%BF",
            "/%F4%8F%BF%BF", "/100%25", "/100%25/", "/%25g1", "/%251", "/%251/1", "/%25/41", "/%25%20", "/%252/%25", "/%3F", "/%23", "/%2A",
        ])
    func asReceived(path: String) throws {
        #expect(try RequestPath.canonical(bytes(path).span) == .asReceived)
    }

    @Test(
        "an escape that isn't needed is decoded, another is written in upper case",
        arguments: [
            ("/%76%31", "/v1"), ("/v%31/users", "/v1/users"), ("/%7euser", "/~user"), ("/%7Euser", "/~user"), ("/a%2eb", "/a.b"),
            ("/a%2Eb", "/a.b"), ("/%2e%2e%2e", "/..."), ("/%41%5a%5f%2d", "/AZ_-"), ("/a%3ab", "/a%3Ab"), ("/%c3%a9", "/%C3%A9"),
            ("/%e2%82%Ac", "/%E2%82%AC"), ("/%3f%23", "/%3F%23"), ("/%25%67", "/%25g"), ("/%254%2D1", "/%254-1"),
            ("/%61/", "/a/"), ("/x/%2ewell-known", "/x/.well-known"),
        ])
    func rewritten(path: String, form: String) throws {
        #expect(try RequestPath.canonical(bytes(path).span) == .rewritten(bytes(form)))
    }

    @Test(
        "a path that two servers may read differently is ambiguous",
        arguments: [
            // dot segments, however spelled
            "/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2E%2e", "/.%2e/", "/%2e./b", "/a/%2E/b",
            "/a/%2e%2E/b", "/v1/../v1/users", "/v1/users/..%2f", "/v1/%2e%2e%2fadmin",
            // what may separate segments
            "/a%2fb", "/a%2Fb", "/%2f", "/a%5cb", "/a%5Cb", "/a\\b", "/\\", "//", "//a", "/a//b", "/a//", "/a///",
            // parameters, ends of strings
            "/a;b", "/a;", "/;v=1/a", "/a%3bb", "/a%3B", "/a%00", "/%00a", "/a%00.json", "/a%0A", "/a%09", "/a%1F", "/a%7F",
            // escaped escapes, also those that decoding would make
            "/%2541", "/%252e", "/%252f", "/%25%34%31", "/%254%31", "/%25%341", "/%25aF", "/a%25252fb", "/%25%32%66", "/%25%2541",
            // fragments, queries, bytes that are no pchar
            "/a#b", "/#", "/a?b", "/a b", "/a\"b", "/<a>", "/a|b", "/a^b", "/a`b", "/{a}", "/[a]", "/a\u{7F}", "/a\tb", "/a\r\nb", "/é",
            // escapes that are none
            "/%", "/a%", "/%4", "/%4/", "/%zz", "/%4g", "/%g4", "/%%41", "/%u0041", "/%-1", "/%+1", "/% 1",
            // invalid UTF-8 after decoding
            "/%80", "/%C3", "/%C3/", "/%C3a", "/%C3%28", "/%C0%AF", "/%C0%80", "/%C1%BF", "/%E0%80%AF", "/%E0%9F%BF", "/%ED%A0%80",
            "/%ED%BF%BF", "/%F0%8F%BF%BF", "/%F4%90%80%80", "/%F5%80%80%80", "/%FF", "/%FE%FF", "/%E2%82", "/%E2%82/%AC", "/%E2%82a%AC",
            "/%E2%41%AC", "/%F8%88%80%80%80", "/%C3%A9%A9",
        ])
    func ambiguous(path: String) {
        #expect(canonical(path) == .failure(.ambiguousPath))
    }

    @Test(
        "a target that doesn't start with a slash is no path",
        arguments: ["", "*", "a", "v1/users", "%2Fv1", "http://a/b", "api:443", ".", "?a"])
    func noPath(target: String) {
        #expect(canonical(target) == .failure(.badRequest))
    }

    @Test("raw bytes above ASCII are no part of a path")
    func rawBytes() {
        for byte in UInt8(0x80)...0xFF { #expect(canonical([UInt8(ascii: "/"), byte]) == .failure(.ambiguousPath)) }
    }

    @Test("every single byte is a pchar of RFC 3986 or refused, ';' apart")
    func everyByte() {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/".utf8)
        for byte in UInt8(0x01)...0x7F where byte != UInt8(ascii: "/") {
            let passes = canonical([47, 120, byte, 120]) == .success("/x" + text([byte]) + "x")
            #expect(passes == allowed.contains(byte), "byte \(byte)")
        }
    }

    @Test("the canonical form of a canonical form is itself, and means the same bytes")
    func idempotent() throws {
        var numbers = SeededRandom(seed: 0x7E4A)
        var accepted = 0
        for _ in 0..<50_000 {
            let path = randomPath(&numbers)
            guard case .success(let form) = canonical(path) else { continue }
            accepted += 1
            let again = try RequestPath.canonical(bytes(form).span)
            try #require(again == .asReceived, "\(text(path))")
            let decoded = percentDecodedSegment(path.span)
            try #require(decoded == percentDecodedSegment(bytes(form).span), "\(text(path))")
            try #require(isSafe(form, decoded), "\(text(path))")
        }
        #expect(accepted > 5_000)
    }

    /// The rules once more, naively, over a form that was accepted: nothing in it may be read in two ways, decoded once or not.
    private func isSafe(_ form: String, _ decoded: [UInt8]?) -> Bool {
        guard let decoded, let path = String(validating: decoded, as: UTF8.self) else { return false }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let hasOddSegment = segments.dropLast().contains("") || segments.contains(".") || segments.contains("..")
        let hasOddByte = decoded.contains { [0, 0x3B, 0x5C].contains($0) }
        let isEscapedTwice = percentDecodedSegment(decoded.span).map { $0 != decoded } ?? false
        return !hasOddSegment && !hasOddByte && !isEscapedTwice
            && form.utf8.count(where: { $0 == 47 }) == decoded.count(where: { $0 == 47 })
    }

    /// Pieces that matter, put together at random.
    private func randomPath(_ numbers: inout SeededRandom) -> [UInt8] {
        let pieces = [
            "/", "/", "/", "a", "B", "1", "4", "f", ".", "..", "%2e", "%2E", "%41", "%25", "%2f", "%5C", "%00", "%3b", ";", "%c3%a9", "%C3",
            "%A9", "%", "+", "%20", "~", "%7e", "%31", "%34", "v1", "users", "#",
        ]
        var path = "/"
        for _ in 0..<Int.random(in: 0...7, using: &numbers) { path += pieces.randomElement(using: &numbers) ?? "" }
        return bytes(path)
    }
}

/// Decoding a segment for the id in it.
@Suite struct PercentDecodingTests {
    @Test(
        "a segment is decoded once, bytes as bytes",
        arguments: [("", ""), ("a", "a"), ("a%20b", "a b"), ("%41%2B+", "A++"), ("%C3%A9", "é"), ("%25", "%"), ("%3a%3A", "::")])
    func decoded(segment: String, value: String) {
        #expect(percentDecodedSegment(bytes(segment).span) == bytes(value))
    }

    @Test("a broken escape has no value", arguments: ["%", "%4", "a%", "%zz", "%4g", "%%20"])
    func broken(segment: String) {
        #expect(percentDecodedSegment(bytes(segment).span) == nil)
    }
}
