import StrictJSON
import TestSupport
import Testing

@Suite("JSONWriter")
struct JSONWriterTests {
    @Test("commas stand between members and elements and nowhere else")
    func commas() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("code", "not_found" as StaticString)
        writer.name("details")
        writer.beginObject()
        writer.endObject()
        writer.name("list")
        writer.beginArray()
        writer.integer(1)
        writer.beginArray()
        writer.endArray()
        writer.null()
        writer.bool(true)
        writer.raw("{\"a\":1}".utf8)
        writer.endArray()
        writer.member("n", -5 as Int64)
        writer.member("flag", false)
        writer.endObject()
        writer.newline()
        writer.string("next")
        let expected = #"{"code":"not_found","details":{},"list":[1,[],null,true,{"a":1}],"n":-5,"flag":false}"# + "\n\"next\""
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test(
        "quotes, controls, line separators and what can't be seen are escaped",
        arguments: [
            ("a\"b\\c", #""a\"b\\c""#), ("\t\n\r", #""\t\n\r""#), ("\u{0}\u{1}\u{1B}\u{7F}", #""\u0000\u0001\u001b\u007f""#),
            ("\u{80}\u{9F}\u{A0}\u{AC}\u{AD}\u{AE}", "\"\\u0080\\u009f\u{A0}\u{AC}\\u00ad\u{AE}\""),
            ("\u{2027}\u{2028}\u{2029}\u{202A}\u{202E}\u{202F}", "\"\u{2027}\\u2028\\u2029\\u202a\\u202e\u{202F}\""),
            ("\u{200A}\u{200B}\u{200F}\u{2010}", "\"\u{200A}\\u200b\\u200f\u{2010}\""),
            ("\u{61B}\u{61C}\u{61D}", "\"\u{61B}\\u061c\u{61D}\""),
            ("\u{205F}\u{2060}\u{2066}\u{2069}\u{206F}\u{2070}", "\"\u{205F}\\u2060\\u2066\\u2069\\u206f\u{2070}\""),
            ("\u{FEFE}\u{FEFF}\u{FF00}\u{FFF8}\u{FFF9}\u{FFFB}\u{FFFC}", "\"\u{FEFE}\\ufeff\u{FF00}\u{FFF8}\\ufff9\\ufffb\u{FFFC}\""),
            ("\u{DFFFF}\u{E0000}\u{E0041}\u{E007F}\u{E0080}", "\"\u{DFFFF}\\udb40\\udc00\\udb40\\udc41\\udb40\\udc7f\u{E0080}\""),
            ("é€😀", "\"é€😀\""), ("", "\"\""), ("</script>", "\"</script>\""),
        ])
    func escapes(text: String, json: String) {
        var writer = JSONWriter()
        writer.string(text)
        #expect(writer.bytes == Array(json.utf8))
    }

    @Test("bytes that are not UTF-8 become U+FFFD, and the result can be read back", arguments: Bytes.notUTF8)
    func invalidUTF8(bytes: [UInt8]) throws {
        var writer = JSONWriter()
        writer.string([0x61] + bytes + [0x62])
        let document = try JSONDocument(writer.bytes)
        let read = try #require(document.string(document.root))
        #expect(read.first == 0x61 && read.last == 0x62)
        #expect(String(decoding: read, as: UTF8.self).unicodeScalars.contains("\u{FFFD}"))
    }

    @Test("any bytes without NUL that are UTF-8 come back as they were")
    func roundTrip() throws {
        var random = SeededRandom(seed: 7)
        for _ in 0..<300 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0..<40, using: &random)).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 1..<(random.chance(50) ? 0x100 : 0x11_0000), using: &random))
                    }))
            var writer = JSONWriter()
            writer.beginObject()
            writer.member(text, Array(text.utf8))
            writer.endObject()
            let document = try JSONDocument(writer.bytes)
            let value = try #require(document.member(text, of: document.root))
            #expect(document.string(value) == Array(text.utf8))
        }
    }
}
