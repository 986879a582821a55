import StrictJSON
import Testing

@Suite("JSON bounds")
struct LimitTests {
    @Test("as many bytes as allowed are read, one more is refused")
    func bytes() throws {
        let limits = JSONLimits(bytes: 10, depth: 2)
        _ = try JSONDocument(Array("\"12345678\"".utf8), limits: limits)
        let error = #expect(throws: JSONError.self) { try JSONDocument(Array("\"123456789\"".utf8), limits: limits) }
        #expect(error?.reason == .tooLarge)
    }

    @Test("as deep as allowed is read, one deeper is refused", arguments: [0, 1, 2, 16, 64, 128])
    func depth(allowed: Int) throws {
        let limits = JSONLimits(bytes: 10_000, depth: allowed)
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> [UInt8] {
                Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
            }
            _ = try JSONDocument(nested(allowed), limits: limits)
            let error = #expect(throws: JSONError.self) { try JSONDocument(nested(allowed + 1), limits: limits) }
            #expect(error?.reason == .tooDeep)
        }
    }

    @Test("depth counts what is open, not what was closed")
    func siblings() throws {
        _ = try JSONDocument(Array("[[],[[]],{},{\"a\":[]},[[],[]]]".utf8), limits: JSONLimits(bytes: 100, depth: 3))
    }

    @Test("an absurd limit is capped, and a megabyte of brackets is refused early")
    func bomb() {
        let limits = JSONLimits(bytes: .max, depth: .max)
        #expect(limits.depth == 128)
        let error = #expect(throws: JSONError.self) { try JSONDocument([UInt8](repeating: 0x5B, count: 1 << 20), limits: limits) }
        #expect(error?.reason == .tooDeep && error?.offset == 128)
    }
}
