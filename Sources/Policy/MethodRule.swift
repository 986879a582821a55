/// What the gateway knows of methods (RFC 9110 §9).
package enum MethodRule {
    /// `Allow` of a route that takes every method.
    static let common = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

    /// TRACE shows the client's headers to whoever asks for them, CONNECT asks for a tunnel: 405 always.
    package static func isForbidden(_ method: Span<UInt8>) -> Bool { equals(method, "TRACE") || equals(method, "CONNECT") }

    /// Upper-case letters, digits, `-` and `_`: all that a file may name, and all that a route without methods takes, since an upstream
    /// might take `post` for `POST`, and no dialect call would be seen in it.
    package static func isUpperCase(_ method: Span<UInt8>) -> Bool {
        guard method.count > 0 else { return false }
        for index in method.indices {
            switch method[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                continue
            default: return false
            }
        }
        return true
    }

    static func equals(_ name: [UInt8], _ method: Span<UInt8>) -> Bool {
        guard name.count == method.count else { return false }
        for index in name.indices where name[index] != method[index] { return false }
        return true
    }

    private static func equals(_ method: Span<UInt8>, _ name: StaticString) -> Bool {
        guard method.count == name.utf8CodeUnitCount else { return false }
        for index in method.indices where unsafe method[index] != name.utf8Start[index] { return false }
        return true
    }
}
