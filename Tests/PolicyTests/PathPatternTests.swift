import Policy
import Testing

/// Reading patterns, and patterns as sets of paths.
@Suite struct PathPatternTests {
    @Test("a pattern is read into its segments")
    func segments() {
        #expect(pattern("/").segments == [])
        #expect(pattern("/**").segments == [.rest])
        #expect(
            pattern("/v1/users/{user}/a%20b").segments
                == [.literal(bytes("v1")), .literal(bytes("users")), .parameter(name: "user"), .literal(bytes("a%20b"))])
        #expect(pattern("/v1/users/{user}").segment(named: "user") == 2)
        #expect(pattern("/v1/users/{user}").segment(named: "id") == nil)
    }

    @Test(
        "a pattern that could never match, or not as meant, is refused with its remedy",
        arguments: [
            ("", PatternError.notAbsolute), ("v1", .notAbsolute), ("*", .notAbsolute), ("/v1/", .trailingSlash), ("//", .trailingSlash),
            ("/a//b", .emptySegment), ("/**/a", .restNotLast), ("/**/**", .restNotLast), ("/{a", .badParameter("{a")),
            ("/a}", .badParameter("a}")), ("/{}", .badParameter("{}")), ("/v{n}", .badParameter("v{n}")),
            ("/{a}{b}", .badParameter("{a}{b}")),
            ("/{a b}", .badParameter("{a b}")), ("/{a}/{a}", .duplicateParameter("a")), ("/*", .wildcardInSegment("*")),
            ("/a*", .wildcardInSegment("a*")), ("/***", .wildcardInSegment("***")), ("/%61", .notCanonical("%61", canonical: "a")),
            ("/%c3%a9", .notCanonical("%c3%a9", canonical: "%C3%A9")), ("/..", .notCanonical("..", canonical: nil)),
            ("/a;b", .notCanonical("a;b", canonical: nil)), ("/a%2Fb", .notCanonical("a%2Fb", canonical: nil)),
            ("/é", .notCanonical("é", canonical: nil)), ("/a?b", .notCanonical("a?b", canonical: nil)),
        ])
    func refused(text: String, error: PatternError) {
        #expect(throws: error) { try PathPattern(text) }
        #expect(!error.description.isEmpty)
    }

    @Test("a pattern has a bounded number of segments")
    func bound() {
        let longest = String(repeating: "/a", count: Limits.patternSegments)
        #expect(pattern(longest).segments.count == Limits.patternSegments)
        #expect(throws: PatternError.tooManySegments) { try PathPattern(longest + "/a") }
    }

    @Test(
        "one pattern covers another if it matches all of its paths",
        arguments: [
            ("/**", "/", true), ("/**", "/a/{b}/**", true), ("/v1/**", "/v1", true), ("/v1/**", "/v1/**", true), ("/v1", "/v1/**", false),
            ("/v1/{a}", "/v1/x", true), ("/v1/{a}", "/v1/{b}", true), ("/v1/x", "/v1/{a}", false), ("/v1/{a}", "/v1/**", false),
            ("/v1/{a}", "/v1", false), ("/v1/{a}", "/v1/x/y", false), ("/v1/x", "/v1/X", false), ("/{a}/**", "/**", false),
        ])
    func covers(own: String, other: String, expected: Bool) {
        #expect(pattern(own).covers(pattern(other)) == expected)
    }

    @Test(
        "two patterns meet in the paths that both match",
        arguments: [
            ("/v1/**", "/v1/users/{u}/suspend", "/v1/users/{u}/suspend"), ("/a/{x}/**", "/{y}/b", "/a/b"), ("/**", "/", "/"),
            ("/v1/**", "/v1", "/v1"), ("/v1/**", "/{a}/**", "/v1/**"), ("/{a}/b", "/c/{d}", "/c/b"),
        ])
    func meet(left: String, right: String, both: String) {
        #expect(pattern(left).meet(pattern(right))?.text == both)
        #expect(pattern(right).meet(pattern(left))?.shape == pattern(both).shape)
        #expect(pattern(left).overlaps(pattern(right)))
    }

    @Test(
        "patterns without a common path don't meet",
        arguments: [("/a", "/b"), ("/a", "/a/b"), ("/a/{x}", "/a"), ("/a/**", "/b/**"), ("/{a}", "/")])
    func apart(left: String, right: String) {
        #expect(pattern(left).meet(pattern(right)) == nil)
        #expect(!pattern(right).overlaps(pattern(left)))
    }

    @Test(
        "a literal goes before a parameter before the rest, segment by segment",
        arguments: [
            ("/v1/users", "/v1/{x}"), ("/v1/{x}", "/v1/**"), ("/v1", "/v1/**"), ("/v1/**", "/{a}/users/me"), ("/a/{x}/**", "/a/**"),
            ("/a/b/**", "/a/{x}/c"),
        ])
    func specificity(first: String, second: String) {
        #expect(pattern(first).isMoreSpecific(than: pattern(second)))
        #expect(!pattern(second).isMoreSpecific(than: pattern(first)))
        #expect(!pattern(first).isMoreSpecific(than: pattern(first)))
    }
}
