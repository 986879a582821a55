import Testing

@testable import Policy

@Suite("A rate limit")
struct RateLimitTests {
    @Test("takes up its time evenly")
    func interval() throws {
        #expect(try #require(RateLimit(requests: 100, milliseconds: 1000, burst: 200)).interval == 10_000_000)
        #expect(try #require(RateLimit(requests: 1_000_000, milliseconds: 1000, burst: 1)).interval == 1000)
        #expect(try #require(RateLimit(requests: 1, milliseconds: 86_400_000, burst: 1)).tolerance == 0)
        #expect(try #require(RateLimit(requests: 10, milliseconds: 1000, burst: 4)).tolerance == 300_000_000)
    }

    @Test("that would remember for more than a day, or overflow, is none")
    func bounds() {
        #expect(RateLimit(requests: 1, milliseconds: 86_400_000, burst: 2) == nil)
        #expect(RateLimit(requests: 1, milliseconds: .max, burst: 3) == nil)
        #expect(RateLimit(requests: 0, milliseconds: 1000, burst: 1) == nil)
        #expect(RateLimit(requests: 1, milliseconds: 1000, burst: 0) == nil)
        #expect(RateLimit(requests: 1, milliseconds: 1000, burst: 86_400) != nil)
        #expect(RateLimit(requests: 1, milliseconds: 1000, burst: 86_401) == nil)
    }
}
