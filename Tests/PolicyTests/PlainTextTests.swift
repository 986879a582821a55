import Policy
import Testing

@Suite("text of others")
struct PlainTextTests {
    @Test(
        "what can't be seen, or moves a cursor, is written out; all else stands as it is",
        arguments: [
            ("usr_ben", "usr_ben"), ("Zoë 東京 😀", "Zoë 東京 😀"), ("", ""), ("a\u{1B}[2Jb", #"a\u{1b}[2Jb"#), ("a\nb\tc", #"a\u{a}b\u{9}c"#),
            ("\u{85}\u{9B}", #"\u{85}\u{9b}"#), ("\u{200E}\u{200F}", #"\u{200e}\u{200f}"#),
            ("\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}", #"\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}"#),
            ("\u{2066}\u{2067}\u{2068}\u{2069}", #"\u{2066}\u{2067}\u{2068}\u{2069}"#), ("\u{2028}\u{2029}", #"\u{2028}\u{2029}"#),
            ("\u{200B}\u{FEFF}\u{AD}\u{E0041}", #"\u{200b}\u{feff}\u{ad}\u{e0041}"#), ("\u{2027}\u{A0}", "\u{2027}\u{A0}"),
        ])
    func shown(text: String, expected: String) {
        #expect(PlainText.shown(text) == expected)
        #expect(PlainText.shown(Array(text.utf8)) == expected)
    }

    @Test("it has an end")
    func bounded() {
        #expect(PlainText.shown("12345", most: 5) == "12345")
        #expect(PlainText.shown("123456", most: 5) == "12345…")
        #expect(PlainText.shown(String(repeating: "x", count: 1_000_000)).count == PlainText.most + 1)
        #expect(PlainText.shown([0x61, 0xFF, 0x62]) == "a\u{FFFD}b")
    }

    @Test("blank is what nobody would see", arguments: ["", " ", "\t\n", "\u{A0}\u{3000}", "\u{200B}", " \u{202E} "])
    func blank(text: String) {
        #expect(PlainText.isBlank(text))
        #expect(!PlainText.isBlank(text + "x"))
    }
}
