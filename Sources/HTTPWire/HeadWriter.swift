package import NIOCore

/// Writing heads: everything goes straight into the buffer that is sent, without a `String` on the way.
extension ByteBuffer {
    /// Copies the field lines that `keep` picks, in order and as they were received; neighbours are copied together.
    package mutating func writeLines(of head: MessageHead, keeping keep: (Field) -> Bool) {
        let bytes = head.bytes.readableBytesSpan
        var run = 0..<0
        for field in head.fields where keep(field) {
            if field.line.lowerBound == run.upperBound {
                run = run.lowerBound..<field.line.upperBound
            } else {
                writeBytes(bytes.extracting(run))
                run = field.line
            }
        }
        writeBytes(bytes.extracting(run))
    }

    /// Appends `name: value` and CRLF; false, with nothing written, if the value would not stay one line (RFC 9110 §5.5): a control
    /// character other than HTAB in it, or a space or tab at its ends. `name` is a token.
    package mutating func writeField(_ name: StaticString, _ value: Span<UInt8>) -> Bool {
        guard isFieldValue(value) else { return false }
        writeStaticString(name)
        writeStaticString(": ")
        writeBytes(value)
        writeStaticString("\r\n")
        return true
    }

    /// Appends `name: value` and CRLF; both are literals that hold no CR or LF.
    package mutating func writeField(_ name: StaticString, _ value: StaticString) {
        writeStaticString(name)
        writeStaticString(": ")
        writeStaticString(value)
        writeStaticString("\r\n")
    }

    /// Appends `name: number` and CRLF.
    package mutating func writeField(_ name: StaticString, _ number: Int) {
        writeStaticString(name)
        writeStaticString(": ")
        writeDecimal(number)
        writeStaticString("\r\n")
    }

    /// Appends `HTTP/1.1 status reason` and CRLF.
    package mutating func writeStatusLine(_ status: UInt16) {
        writeStaticString("HTTP/1.1 ")
        writeDecimal(Int(status))
        writeStaticString(" ")
        writeStaticString(reasonPhrase(status))
        writeStaticString("\r\n")
    }

    /// Appends a number, 0 or more, in decimal digits.
    package mutating func writeDecimal(_ number: Int) { writeDigits(number, radix: 10) }

    /// Appends a number, 0 or more, in lower-case hex digits.
    package mutating func writeHex(_ number: Int) { writeDigits(number, radix: 16) }

    /// Appends bytes as they are.
    package mutating func writeBytes(_ bytes: Span<UInt8>) {
        // unsafe: `bytes` is so marked for elements with padding, which single bytes don't have.
        unsafe writeBytes(bytes.bytes)
    }

    @inline(__always)
    private mutating func writeDigits(_ number: Int, radix: UInt) {
        precondition(number >= 0, "lengths and times are not negative")
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var rest = UInt(number)
        var start = digits.count
        repeat {
            start -= 1
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            digits[start] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            rest /= radix
        } while rest != 0
        writeBytes(digits.span.extracting(start..<digits.count))
    }
}

/// Whether the bytes can stand as a field's value without changing how the message is read.
package func isFieldValue(_ value: Span<UInt8>) -> Bool {
    let all = 0..<value.count
    return value.firstControl(in: all) == nil && value.trimmed(all) == all
}

/// The reason phrase of RFC 9110 §15 for the statuses that are made here; empty, as the RFC allows, for others.
package func reasonPhrase(_ status: UInt16) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
}
