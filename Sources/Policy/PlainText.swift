/// Text that others have written, for people to read: in one line and with nothing that could be taken for something else.
package enum PlainText {
    /// Characters that are shown of one text at most: an id or a reason whole, and no screen full of what somebody has made up.
    package static let most = 2048

    /// The text with what can't be seen or what moves a terminal's cursor — controls, line separators, bidirectional and other format
    /// characters — written as `\u{202e}`. Longer ones end in `…`.
    package static func shown(_ text: String, most: Int = most) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < most else { return shown + "…" }
            count += 1
            if isUnseen(scalar) { shown += "\\u{\(String(scalar.value, radix: 16))}" } else { shown.unicodeScalars.append(scalar) }
        }
        return shown
    }

    /// The same of bytes; those that are not UTF-8 become U+FFFD.
    package static func shown(_ bytes: [UInt8], most: Int = most) -> String { shown(String(decoding: bytes, as: UTF8.self), most: most) }

    /// Whether nobody would see anything of it: a reason of spaces is none.
    package static func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.isWhitespace || isUnseen($0) }
    }

    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
