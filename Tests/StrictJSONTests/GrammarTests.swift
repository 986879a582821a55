import StrictJSON
import Testing

@Suite("JSON grammar")
struct GrammarTests {
    @Test("a text of RFC 8259 is read", arguments: accepted)
    func accepts(text: String) throws {
        _ = try JSONDocument(Array(text.utf8))
    }

    @Test("noncharacters are characters to JSON", arguments: [0xFFFE, 0xFFFF, 0xFDD0, 0x10_FFFE, 0x10_FFFF] as [UInt32])
    func noncharacters(scalar: UInt32) throws {
        let character = Character(try #require(Unicode.Scalar(scalar)))
        let document = try JSONDocument(Array("\"\(character)\"".utf8))
        #expect(document.string(document.root) == Array(String(character).utf8))
    }

    @Test("a text outside RFC 8259 or with two meanings is refused, with its reason", arguments: refused)
    func refuses(text: String, reason: JSONError.Reason) {
        let error = #expect(throws: JSONError.self) { try JSONDocument(Array(text.utf8)) }
        #expect(error?.reason == reason)
        #expect(error.map { $0.offset <= text.utf8.count } == true)
    }

    @Test("a text that is not UTF-8 is refused, in values and in names", arguments: Bytes.notUTF8)
    func refusesInvalidUTF8(bytes: [UInt8]) {
        for text in [
            [0x22] + bytes + [0x22], [0x7B, 0x22] + bytes + Array("\":1}".utf8), Array("[\"aaaaaaaaaaaa".utf8) + bytes + [0x22, 0x5D],
        ] {
            #expect(throws: JSONError.self) { try JSONDocument(text) }
        }
        #expect(throws: JSONError.self) { try JSONDocument(bytes) }
    }

    static let accepted: [String] = [
        "{}", "[]", "0", "-0", "1", "-1", "12", "1234567890", "0.0", "0.5", "-0.5", "1.25", "1e5", "1E5", "1e+5", "1e-5", "0e0", "0E+00",
        "-0e-1", "1.0e10", "123.456e-7", "1e999", "-1e-999", "99999999999999999999999999", "1.00000000000000000000000000001", "true",
        "false", "null",
        "\"\"", "\"a\"", "\" \"", "\"\u{7F}\"", "\"é\"", "\"€\"", "\"😀\"",
        "\"\u{E000}\"",
        "\"\u{FEFF}\"", "\"\u{2028}\u{2029}\"", #""\"""#, #""\\""#, #""\/""#, #""\b\f\n\r\t""#, #""\u0001""#, #""\u001f""#, #""\u00e9""#,
        #""\u00E9""#,
        #""\uD83D\uDE00""#, #""\ud83d\ude00""#, #""\uDBFF\uDFFF""#, #""\uFFFF""#, #""\uE000""#, #""\uD7FF""#, #""\\u0000""#, #""\\\\""#,
        #""\\\"""#, #""\u0022""#,
        #""\u005C""#, " 1", "1 ", "\t\n\r 1 \r\n\t", " [ ] ", " { } ", "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[[],[]]", "[[[[]]]]", "[{}]",
        "[{},{}]",
        "[null]", "[true,false,null]", "[\"a\",1,{}]", "[\n1\n]", #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{ "a" : 1 , "b" : 2 }"#, "{\"a\":1\n}",
        #"{"":1}"#,
        #"{"":1," ":2}"#, #"{"a":{"a":{"a":1}}}"#, #"{"a":[{"a":1},{"a":2}]}"#, #"{"a":1,"A":2}"#, #"{"a":"a"}"#,
        #"{"a":1,"aa":2,"aaa":3}"#,
        #"{"e\u0301":1,"é":2}"#, #"{"\u0061":1,"b":2}"#, #"{"abcdefgh":1,"abcdefghi":2,"abcdefghj":3}"#, #"{"a/b":1,"a\\/b":2}"#,
        #"{"\u0061bcdefghij":1,"abcdefghik":2}"#, #"{"😀":1,"\ud83d\ude01":2}"#,
        #"{"a0":0,"a1":0,"a2":0,"a3":0,"a4":0,"a5":0,"a6":0,"a7":0,"a8":0,"a9":0,"b0":0,"b1":0,"b2":0,"b3":0,"b4":0,"b5":0,"b6":0,"b7":0}"#,
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    ]

    static let refused: [(String, JSONError.Reason)] = [
        // Too little.
        ("", .unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd),
        ("[1,", .unexpectedEnd),
        ("[[]", .unexpectedEnd), (#"{"a""#, .unexpectedEnd), (#"{"a":"#, .unexpectedEnd), (#"{"a":1"#, .unexpectedEnd),
        (#"{"a":1,"#, .unexpectedEnd),
        ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("\"abcdefghijkl", .unexpectedEnd), (#"""# + #"\"#, .unexpectedEnd),
        (#""\""#, .unexpectedEnd),
        ("t", .unexpectedEnd), ("tru", .unexpectedEnd), ("nul", .unexpectedEnd), ("fals", .unexpectedEnd), ("-", .unexpectedEnd),
        ("1.", .unexpectedEnd),
        ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd), ("1E-", .unexpectedEnd),
        // Too much.
        ("1 2", .trailingBytes), ("{}{}", .trailingBytes), ("{} x", .trailingBytes), ("[]]", .trailingBytes), ("{}}", .trailingBytes),
        ("\"\"\"\"", .trailingBytes),
        ("null,", .trailingBytes), ("{}\u{0}", .trailingBytes), ("{}//", .trailingBytes), ("{}#", .trailingBytes),
        ("truee", .trailingBytes),
        ("1a", .trailingBytes), ("0x10", .trailingBytes), ("1_000", .trailingBytes), ("{}\u{FEFF}", .trailingBytes),
        ("1\u{B}", .trailingBytes), ("{};", .trailingBytes),
        // Not the grammar.
        ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[,]", .unexpectedByte), ("[1,,2]", .unexpectedByte),
        ("[1 2]", .unexpectedByte),
        ("[1;2]", .unexpectedByte), ("[1}", .unexpectedByte), ("{]", .unexpectedByte), (#"{"a"}"#, .unexpectedByte),
        (#"{"a":}"#, .unexpectedByte),
        (#"{"a" 1}"#, .unexpectedByte), (#"{"a"::1}"#, .unexpectedByte), (#"{"a":1,}"#, .unexpectedByte), (#"{,"a":1}"#, .unexpectedByte),
        (#"{"a":1,,"b":2}"#, .unexpectedByte), (#"{"a":1 "b":2}"#, .unexpectedByte), (#"{"a":1;"b":2}"#, .unexpectedByte),
        (#"{"a",1}"#, .unexpectedByte),
        (#"{"a"=1}"#, .unexpectedByte), ("{a:1}", .unexpectedByte), ("{'a':1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
        ("{null:1}", .unexpectedByte),
        ("{[]:1}", .unexpectedByte), ("'a'", .unexpectedByte), ("a", .unexpectedByte), ("True", .unexpectedByte), ("TRUE", .unexpectedByte),
        ("NULL", .unexpectedByte), ("nil", .unexpectedByte), ("trua", .unexpectedByte), ("nulL", .unexpectedByte), ("NaN", .unexpectedByte),
        ("Infinity", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte), ("undefined", .unexpectedByte),
        ("/**/1", .unexpectedByte),
        ("//\n1", .unexpectedByte), ("[1/**/]", .unexpectedByte), ("\u{A0}1", .unexpectedByte), ("\u{C}1", .unexpectedByte),
        ("\u{B}1", .unexpectedByte),
        ("\u{2028}1", .unexpectedByte), ("\u{0}", .unexpectedByte), ("[\u{0}]", .unexpectedByte), (#"\u0031"#, .unexpectedByte),
        ("]", .unexpectedByte),
        ("}", .unexpectedByte), (",", .unexpectedByte), (":", .unexpectedByte), ("<html>", .unexpectedByte), ("\u{7F}", .unexpectedByte),
        ("１", .unexpectedByte),
        // Numbers.
        ("01", .invalidNumber), ("00", .invalidNumber), ("-01", .invalidNumber), ("-00", .invalidNumber), ("--1", .invalidNumber),
        ("-a", .invalidNumber),
        ("-Infinity", .invalidNumber), ("-.5", .invalidNumber), ("1.a", .invalidNumber), ("1..2", .invalidNumber), ("[1.]", .invalidNumber),
        ("[-]", .invalidNumber),
        ("1.e5", .invalidNumber), ("1ea", .invalidNumber), ("1e5.", .trailingBytes), ("1e1.5", .trailingBytes), ("1e++5", .invalidNumber),
        ("1.2.3", .trailingBytes),
        ("1ee5", .invalidNumber), ("-١", .invalidNumber), ("0e", .unexpectedEnd), ("012345678901", .invalidNumber),
        // Strings.
        ("\"\u{0}\"", .controlCharacter), ("\"\u{1}\"", .controlCharacter), ("\"\n\"", .controlCharacter), ("\"\t\"", .controlCharacter),
        ("\"\u{1F}\"", .controlCharacter), ("\"aaaaaaaaa\r\"", .controlCharacter), ("{\"a\n\":1}", .controlCharacter),
        ("\"a\n        \"", .controlCharacter),
        (#""\a""#, .invalidEscape), (#""\0""#, .invalidEscape), (#""\x41""#, .invalidEscape), (#""\'""#, .invalidEscape),
        (#""\ ""#, .invalidEscape), (#""\U0041""#, .invalidEscape),
        (#""\v""#, .invalidEscape), ("\"\\\n\"", .invalidEscape), ("\"\\é\"", .invalidEscape), (#""\u""#, .invalidEscape),
        (#""\u1""#, .invalidEscape), (#""\u12""#, .invalidEscape),
        (#""\u123""#, .invalidEscape), (#""\u123g""#, .invalidEscape), (#""\u+123""#, .invalidEscape), (#""\u 123""#, .invalidEscape),
        (#""\u{41}""#, .invalidEscape),
        (#""\u0000""#, .nul), (#""a\u0000b""#, .nul), (#"{"\u0000":1}"#, .nul), (#"{"a\u0000":1,"a":2}"#, .nul),
        (#""\ud800""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate), (#""\uD83D""#, .loneSurrogate),
        (#""\ud83d\ud83d""#, .loneSurrogate),
        (#""\ude00\ud83d""#, .loneSurrogate), (#""\ud83dx""#, .loneSurrogate), (#""\ud83d\n12345""#, .loneSurrogate),
        (#""\ud83d\u0041""#, .loneSurrogate),
        (#""\ud83d\\ude00""#, .loneSurrogate), (#""\uDFFF""#, .loneSurrogate), (#""\ud83d\u""#, .loneSurrogate),
        (#""\ud83d\ude0""#, .loneSurrogate),
        // A byte order mark.
        ("\u{FEFF}{}", .byteOrderMark), ("\u{FEFF}", .byteOrderMark), ("\u{FEFF}\u{FEFF}1", .byteOrderMark),
        // Depth: 16 is allowed.
        ("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", .tooDeep), (#"{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"#, .tooDeep),
        (#"[[[[[[[[[[[[[[[[{"a":1}]]]]]]]]]]]]]]]]"#, .tooDeep), ("[[[[[[[[[[[[[[[[[", .tooDeep),
    ]
}
