/// Why and where a text is not a document that everybody would read alike.
package struct JSONError: Error, Equatable, Sendable {
    package let reason: Reason
    /// The byte at which it was noticed, counted from 0.
    package let offset: Int

    package enum Reason: String, Sendable, CaseIterable {
        case tooLarge = "larger than allowed"
        case tooDeep = "nested deeper than allowed"
        case unexpectedEnd = "ends too early"
        case unexpectedByte = "a byte that JSON doesn't allow here"
        case byteOrderMark = "starts with a byte order mark"
        case trailingBytes = "bytes after the end of the document"
        case invalidUTF8 = "not valid UTF-8"
        case controlCharacter = "a raw control character in a string"
        case nul = "an escaped NUL"
        case invalidEscape = "an escape that JSON doesn't know"
        case loneSurrogate = "half a surrogate pair"
        case invalidNumber = "not a JSON number"
        case duplicateName = "an object with the same name twice"
    }

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// For people: never holds anything of the text itself.
    package var description: String { "\(reason.rawValue) (byte \(offset))" }
}
