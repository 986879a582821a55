import Testing

@testable import Tokens

/// RFC 7515 §7.1, §5.2 and RFC 8725 §3.4: the compact form, to the letter.
@Suite struct TokenFormTests {
    @Test("only three parts of strict base64url within the size are a token", arguments: cases)
    func formHold(_ row: TokenCase) { row.check() }

    static let valid = hs([:])
    static let text = String(decoding: valid, as: UTF8.self)
    static let parts = text.split(separator: ".").map(String.init)

    static func bad(_ name: String, _ token: String, _ fault: TokenFault = .form) -> TokenCase { .bad(name, fault, Array(token.utf8)) }

    static let cases: [TokenCase] = table {
        [
            .good("the token that the others are made from", valid),
            bad("nothing", "", .size), bad("a dot", "."), bad("two dots", ".."), bad("three dots", "..."),
            bad("one part", parts[0]), bad("two parts", "\(parts[0]).\(parts[1])"),
            bad("unsecured: no signature", "\(parts[0]).\(parts[1])."), bad("no header", ".\(parts[1]).\(parts[2])"),
            bad("no payload (detached content, RFC 7515 appendix F)", "\(parts[0])..\(parts[2])"),
            bad("four parts", text + ".x"), bad("a dot at the end", text + "."), bad("a dot in front", "." + text),
            bad("five parts: a JWE (RFC 7516 §7.1)", "\(parts[0]).\(parts[1]).\(parts[2]).\(parts[1]).\(parts[2])"),
            bad("a JWE with empty parts", "\(parts[0])...\(parts[1]).\(parts[2])"),
            bad("a space in front", " " + text), bad("a space behind", text + " "), bad("a newline behind", text + "\n"),
            bad("CRLF behind", text + "\r\n"), bad("a tab inside", text.replacingFirst(".", with: ".\t")),
            bad("a NUL behind", text + "\0"), bad("a NUL at the dot", text.replacingFirst(".", with: "\0.")),
            bad("a comma for a dot", text.replacingFirst(".", with: ",")), bad("%2E for a dot", text.replacingFirst(".", with: "%2E")),
            bad("a full-width dot", text.replacingFirst(".", with: "\u{FF0E}")), bad("a byte order mark", "\u{FEFF}" + text),
            bad("the scheme in front", "Bearer " + text), bad("in quotes", "\"\(text)\""),
            bad("two tokens", text + "," + text, .form),
            bad("the flattened JSON form", #"{"protected":"\#(parts[0])","payload":"\#(parts[1])","signature":"\#(parts[2])"}"#),
            bad("the general JSON form", #"{"payload":"\#(parts[1])","signatures":[]}"#),
            bad("padding at the header", "\(parts[0])=.\(parts[1]).\(parts[2])"),
            bad("padding at the payload", "\(parts[0]).\(parts[1])==.\(parts[2])"), bad("padding at the signature", text + "="),
            bad("percent-encoded padding", text + "%3D"),
            bad("a length that no byte count has", text + "AA"), bad("another character of the signature", text + "A", .signature),
            bad("a letter outside ASCII", text.replacingFirst(".", with: "\u{e9}.")),
            .bad("the top bit set on a letter", .form, valid.enumerated().map { $0.offset == 3 ? $0.element | 0x80 : $0.element }),
        ]
        trailingBits
        standardAlphabet
        sizes
    }

    /// 43 characters carry 32 bytes and two bits more, which must be zero: else one signature has four spellings.
    static let trailingBits: [TokenCase] = {
        // 32 bytes of signature; a header of 28 bytes (one over a multiple of three); a payload with two over.
        let header = #"{"alg":"HS256","typ":"JWT" }"#
        let padded = payload() + String(repeating: " ", count: (5 - payload().utf8.count % 3) % 3)
        let parts = String(decoding: hs(payload: padded, header: header), as: UTF8.self).split(separator: ".").map(String.init)
        return [
            .good("zero bits", Array(parts.joined(separator: ".").utf8)),
            bad("non-zero bits at the signature", "\(parts[0]).\(parts[1]).\(parts[2].nextLast())"),
            bad("non-zero bits at the header", "\(parts[0].nextLast()).\(parts[1]).\(parts[2])"),
            bad("non-zero bits at the payload", "\(parts[0]).\(parts[1].nextLast()).\(parts[2])"),
        ]
    }()

    /// A token that has `-` and `_`, and the same with `+` and `/`.
    static let standardAlphabet: [TokenCase] = {
        let token = (0...).lazy.map { hs(["jti": "\"~~~???\($0)\""]) }.first { $0.contains(45) && $0.contains(95) }!
        let text = String(decoding: token, as: UTF8.self)
        return [
            .good("the url alphabet", token),
            bad("the standard alphabet's +", text.replacingFirst("-", with: "+")),
            bad("the standard alphabet's /", text.replacingFirst("_", with: "/")),
        ]
    }()

    static let sizes: [TokenCase] = {
        let bare = hs(["x": "\"\""])
        func sized(_ count: Int) -> [UInt8] {
            let fill = String(repeating: "x", count: (count - bare.count) * 3 / 4)
            return (0..<8).map { hs(["x": "\"\(fill.dropLast($0))\""]) }.first { $0.count <= count }!
        }
        return [
            .good("as long as allowed", sized(8 * 1024)), .bad("longer than allowed", .size, sized(8 * 1024) + Array("xxxx".utf8)),
            .bad("64 KiB", .size, sized(64 * 1024)),
            .bad("9 MB, where jwt_decode crashes", .size, [UInt8](repeating: 65, count: 9_000_000)),
        ]
    }()
}

extension String {
    func replacingFirst(_ old: Character, with new: String) -> String {
        guard let index = firstIndex(of: old) else { return self }
        return self[..<index] + new + self[self.index(after: index)...]
    }

    /// The last character's successor in the base64url alphabet: the same bytes to a lenient reader.
    func nextLast() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return dropLast() + String(alphabet[alphabet.firstIndex(of: last!)! + 1])
    }
}
