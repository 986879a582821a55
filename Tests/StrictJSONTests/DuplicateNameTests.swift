import Glibc
import StrictJSON
import TestSupport
import Testing

@Suite("names given twice")
struct DuplicateNameTests {
    @Test(
        "a name given twice is refused, however it is spelled and however deep it stands",
        arguments: [
            #"{"a":1,"a":2}"#, #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"":1,"":2}"#, #"{"a":1,"\u0061":2}"#, #"{"\u0061":1,"a":2}"#,
            #"{"\u0061":1,"\u0061":2}"#, #"{"\u0061ctive":false,"active":true}"#, #"{"activ\u0065":false,"active":true}"#,
            #"{"is/owner":1,"is\/owner":2}"#, #"{"\/":1,"\u002f":2}"#, #"{"\u002F":1,"\u002f":2}"#, #"{"\"":1,"\u0022":2}"#,
            #"{"\\":1,"\u005c":2}"#,
            #"{"\n":1,"\u000a":2}"#, #"{"\b\f\r\t":1,"\u0008\u000c\u000d\u0009":2}"#, #"{"é":1,"\u00e9":2}"#, #"{"€":1,"\u20AC":2}"#,
            #"{"😀":1,"\ud83d\ude00":2}"#, #"{"\uD83D\uDE00":1,"\ud83d\ude00":2}"#, #"{"abcdefghij":1,"abcdefghij":2}"#,
            #"{"abcdefgh":1,"abcdefgh":2}"#, #"{"abcdefghij":1,"abcdefghi\u006a":2}"#, #"{"\u0061bcdefghij":1,"abcdefghi\u006a":2}"#,
            #"{"x":{"a":1,"a":2}}"#, #"[{"a":1,"a":2}]"#, #"{"x":[[{"y":{"a":1,"b":{},"a":2}}]]}"#, #"{"a":{"b":1},"a":2}"#,
            #"{"a":{"a":1},"b":[],"a":{}}"#,
            #"{"a":1,"b":{"a":1,"c":2},"\u0061":1}"#, #"{"a" : 1 , "a" : 2}"#, "{\n\"a\":1,\n\t\"a\":2}",
            #"{"jwk":{"kid":"1","kid":"2"}}"#,
        ])
    func refused(text: String) {
        let error = #expect(throws: JSONError.self) { try JSONDocument(Array(text.utf8)) }
        #expect(error?.reason == .duplicateName)
    }

    @Test(
        "in an object of any size, a name given again is found wherever the first one stands",
        arguments: [1, 2, 8, 15, 16, 17, 18, 33, 64, 65, 129, 1000])
    func anySize(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let members = (0..<count).map { "\"name-\($0)\":\($0)" }
        _ = try JSONDocument(Array(("{" + members.joined(separator: ",") + "}").utf8), limits: .answer)
        for repeated in Set([0, count - 1, count / 2, Int.random(in: 0..<count, using: &random)]) {
            for spelling in ["name-\(repeated)", "n\\u0061me-\(repeated)"] {
                let place = Int.random(in: 0...count, using: &random)
                var all = members
                all.insert("\"\(spelling)\":null", at: place)
                let error = #expect(throws: JSONError.self) {
                    try JSONDocument(Array(("{" + all.joined(separator: ",") + "}").utf8), limits: .answer)
                }
                #expect(error?.reason == .duplicateName)
            }
        }
    }

    @Test("large objects inside and after each other keep their names apart")
    func nestedLargeObjects() throws {
        let members = (0..<40).map { "\"n\($0)\":0" }.joined(separator: ",")
        let inner = "{\(members)}"
        let text = "[{\(members),\"inner\":\(inner),\"after\":\(inner)},\(inner)]"
        _ = try JSONDocument(Array(text.utf8))
        let twice = "[{\(members),\"inner\":\(inner),\"n39\":0},\(inner)]"
        #expect(throws: JSONError.self) { try JSONDocument(Array(twice.utf8)) }
    }

    @Test("a hundred thousand names, plain, escaped or alike in their beginnings, take a moment and not minutes")
    func notQuadratic() throws {
        let limits = JSONLimits(bytes: 8 * 1024 * 1024, depth: 4)
        for prefix in ["", #"\u0061"#, "the-same-beginning-"] {
            var text: [UInt8] = [UInt8(ascii: "{")]
            for number in 0..<100_000 {
                if number > 0 { text.append(UInt8(ascii: ",")) }
                text.append(contentsOf: "\"\(prefix)\(number)\":0".utf8)
            }
            text.append(UInt8(ascii: "}"))
            let started = processorSeconds()
            _ = try JSONDocument(text, limits: limits)
            #expect(processorSeconds() - started < 3, "\(prefix)")
        }
    }

    /// Seconds that this thread has computed: a busy machine doesn't fail the test.
    private func processorSeconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
