import StrictJSON
import Testing

@Suite("JSONNumber")
struct JSONNumberTests {
    private func number(_ text: String) throws -> JSONNumber? {
        let document = try JSONDocument(Array(text.utf8))
        return document.number(document.root)
    }

    @Test(
        "a whole number of 64 bits is exact however it is written",
        arguments: [
            ("0", 0), ("-0", 0), ("0.0", 0), ("-0.0e5", 0), ("0e308", 0), ("17", 17), ("17.0", 17), ("1.7e9", 1_700_000_000),
            ("1.7E+9", 1_700_000_000), ("1700000000.000", 1_700_000_000), ("170e-1", 17), ("-170.0e-1", -17), ("12e0", 12), ("100e-2", 1),
            ("999999999999999999", 999_999_999_999_999_999), ("1000000000000000000", 1_000_000_000_000_000_000),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("9007199254740993", 9_007_199_254_740_993),
            ("9007199254740993.0", 9_007_199_254_740_993), ("1e18", 1_000_000_000_000_000_000), ("0.00001e5", 1),
            ("9e18", 9_000_000_000_000_000_000),
            ("922337203685477580.7e1", Int64.max),
        ] as [(String, Int64)])
    func integers(text: String, value: Int64) throws {
        #expect(try number(text) == .integer(value))
        #expect(try number(text)?.floor == value)
        #expect(try number(text)?.ceiling == value)
    }

    @Test(
        "a fraction is the nearest double and rounds to either side",
        arguments: [
            ("17.5", 17.5, 17, 18), ("-17.5", -17.5, -18, -17), ("0.1", 0.1, 0, 1), ("-0.1", -0.1, -1, 0),
            ("1.7000000005e9", 1_700_000_000.5, 1_700_000_000, 1_700_000_001),
            ("1e-300", 1e-300, 0, 1), ("5e-308", 5e-308, 0, 1), ("1700000000.999999", 1_700_000_000.999999, 1_700_000_000, 1_700_000_001),
        ] as [(String, Double, Int64, Int64)])
    func fractions(text: String, value: Double, floor: Int64, ceiling: Int64) throws {
        let number = try number(text)
        #expect(number == .fraction(value))
        #expect(number?.floor == floor)
        #expect(number?.ceiling == ceiling)
    }

    @Test(
        "beyond 64 bits a number is a double without whole seconds",
        arguments: ["9223372036854775808", "-9223372036854775809", "1e19", "1e300", "-1.5e308", "99999999999999999999"])
    func large(text: String) throws {
        let number = try #require(try number(text))
        guard case .fraction(let value) = number else {
            Issue.record("\(number)")
            return
        }
        #expect(value.isFinite)
        #expect(number.floor == nil && number.ceiling == nil)
    }

    @Test(
        "an absurd number is none",
        arguments: [
            "1e309", "-1e309", "1e999", "1e-309", "1e99999999999999999999999", "10e308", "9.99e308", "0e309", "0.00000000000000000001e-308",
            "1.00000000000000000000000000000000000000001", "10000000000000000000000000000000000000000000",
        ])
    func absurd(text: String) throws {
        #expect(try number(text) == nil)
    }

    @Test("what is not a number is none", arguments: ["\"17\"", "true", "null", "[]", "{}", "\"\""])
    func others(text: String) throws {
        #expect(try number(text) == nil)
    }
}
