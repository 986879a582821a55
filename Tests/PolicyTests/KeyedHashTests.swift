import Policy
import Testing

@Suite("the keyed hash")
struct KeyedHashTests {
    @Test(
        "is SipHash-2-4 with 128 bits, as the reference implementation computes it",
        arguments: [
            "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45", "8177228da4a45dc7fca38bdef60affe4",
            "9c70b60c5267a94e5f33b6b02985ed51", "f88164c12d9c8faf7d0f6e7c7bcd5579", "1368875980776f8854527a07690e9627",
            "14eeca338b208613485ea0308fd7a15e", "a1f1ebbed8dbc153c0b84aa61ff08239", "3b62a9ba6258f5610f83e264f31497b4",
        ].enumerated().map { ($0, $1) })
    func vectors(count: Int, expected: String) {
        // Key 00 01 … 0f, input 00 01 …, as in the reference's vectors.h.
        let hash = KeyedHash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
        let input = (0..<count).map { UInt8($0) }
        #expect(text(hash(input.span).hex) == expected)
    }

    @Test("differs under another key and for every change of a byte")
    func differs() {
        let (hash, input) = (KeyedHash.random(), bytes("0190abcd-0000-7000-8000-00000000000f"))
        #expect(hash(input.span) == hash(input.span) && hash(input.span) != KeyedHash.random()(input.span))
        for index in input.indices {
            var other = input
            other[index] ^= 1
            #expect(hash(other.span) != hash(input.span))
        }
    }
}
