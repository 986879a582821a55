import Testing

@testable import Suspensions

@Suite("the keyed hash")
struct SipHashTests {
    /// From the reference implementation's `vectors.h`: key 00…0f, input 00, 01, … of the given length.
    @Test(
        "digests are the reference's",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
            (3, "9c70b60c5267a94e5f33b6b02985ed51"),
        ])
    func referenceVectors(length: Int, expected: String) {
        let sip = SipHash128(key: UInt128Pair(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908))
        let hash = sip.hash(Array(0..<UInt8(length)).span)
        #expect(hex(hash.first) + hex(hash.second) == expected)
    }

    private func hex(_ word: UInt64) -> String {
        (0..<8).map { byte in
            let text = String(word >> UInt64(8 * byte) & 255, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
