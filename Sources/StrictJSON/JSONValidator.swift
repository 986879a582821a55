/// Reads a whole text once and throws at the first byte that strict JSON (RFC 8259) or SPEC §2 doesn't allow.
///
/// Recursion is bounded by the depth limit. Nothing is kept but the names of the objects that are open.
struct JSONValidator {
    private var at = 0
    private var depthLeft: Int
    private var names = MemberNames()

    /// The outermost value of `bytes`.
    static func document(_ bytes: Span<UInt8>, limits: JSONLimits) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytes else { throw JSONError(.tooLarge, at: limits.bytes) }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw JSONError(.byteOrderMark, at: 0) }
        var validator = JSONValidator(depthLeft: limits.depth)
        validator.skipWhitespace(bytes)
        let root = try validator.value(bytes)
        validator.skipWhitespace(bytes)
        guard validator.at == bytes.count else { throw JSONError(.trailingBytes, at: validator.at) }
        return root
    }

    private init(depthLeft: Int) { self.depthLeft = depthLeft }

    private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        guard at < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        let start = at
        let kind: JSONValue.Kind
        switch bytes[at] {
        case UInt8(ascii: "\""):
            kind = .string
            _ = try string(bytes)
        case UInt8(ascii: "{"):
            kind = .object
            try object(bytes)
        case UInt8(ascii: "["):
            kind = .array
            try array(bytes)
        case UInt8(ascii: "t"):
            kind = .true
            try literal("true", bytes)
        case UInt8(ascii: "f"):
            kind = .false
            try literal("false", bytes)
        case UInt8(ascii: "n"):
            kind = .null
            try literal("null", bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            kind = .number
            try number(bytes)
        default: throw JSONError(.unexpectedByte, at: at)
        }
        return JSONValue(kind: kind, start: start, end: at)
    }

    private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) {
        try descend()
        skipWhitespace(bytes)
        var frame = names.open()
        if try !take(UInt8(ascii: "}"), bytes) {
            repeat {
                skipWhitespace(bytes)
                try name(&frame, bytes)
                skipWhitespace(bytes)
                guard try take(UInt8(ascii: ":"), bytes) else { throw JSONError(.unexpectedByte, at: at) }
                skipWhitespace(bytes)
                _ = try value(bytes)
                skipWhitespace(bytes)
            } while try take(UInt8(ascii: ","), bytes)
            guard try take(UInt8(ascii: "}"), bytes) else { throw JSONError(.unexpectedByte, at: at) }
        }
        names.close(frame)
        depthLeft += 1
    }

    private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) {
        try descend()
        skipWhitespace(bytes)
        if try !take(UInt8(ascii: "]"), bytes) {
            repeat {
                skipWhitespace(bytes)
                _ = try value(bytes)
                skipWhitespace(bytes)
            } while try take(UInt8(ascii: ","), bytes)
            guard try take(UInt8(ascii: "]"), bytes) else { throw JSONError(.unexpectedByte, at: at) }
        }
        depthLeft += 1
    }

    private mutating func descend() throws(JSONError) {
        guard depthLeft > 0 else { throw JSONError(.tooDeep, at: at) }
        depthLeft -= 1
        at += 1
    }

    private mutating func name(_ frame: inout MemberNames.Frame, _ bytes: Span<UInt8>) throws(JSONError) {
        guard at < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        guard bytes[at] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: at) }
        let start = at
        let isEscaped = try string(bytes)
        guard names.add(start + 1..<at - 1, isEscaped: isEscaped, to: &frame, in: bytes) else {
            throw JSONError(.duplicateName, at: start)
        }
    }

    /// Takes `byte` if it comes next; false where another byte does.
    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard at < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
        guard bytes[at] == byte else { return false }
        at += 1
        return true
    }

    @inline(__always)
    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        if at < bytes.count, bytes[at] <= 0x20 { at = endOfWhitespace(bytes, from: at) }
    }

    private mutating func literal(_ word: String, _ bytes: Span<UInt8>) throws(JSONError) {
        for letter in word.utf8 {
            guard try take(letter, bytes) else { throw JSONError(.unexpectedByte, at: at) }
        }
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
        at = try endOfNumber(bytes, from: at)
    }

    /// From the opening quote to behind the closing one; whether there was an escape.
    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        var isEscaped = false
        var index = endOfPlainText(bytes, from: at + 1)
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                at = index + 1
                return isEscaped
            case UInt8(ascii: "\\"):
                isEscaped = true
                index = try endOfEscape(bytes, from: index)
            case 0..<0x20: throw JSONError(.controlCharacter, at: index)
            default:
                let length = utf8SequenceLength(bytes, at: index)
                guard length > 0 else { throw JSONError(.invalidUTF8, at: index) }
                index += length
            }
            index = endOfPlainText(bytes, from: index)
        }
        throw JSONError(.unexpectedEnd, at: bytes.count)
    }
}
