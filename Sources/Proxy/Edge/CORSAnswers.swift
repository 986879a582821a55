import HTTPWire
import NIOCore
import Policy

/// A route's CORS rule as lines of answers, made once when the file is loaded.
///
/// An allowed origin is answered with the file's bytes, never with the request's. Every answer of the route varies by `Origin`, also
/// those to requests without one, so that no cache gives one page's answer to another.
struct CORSAnswers: Sendable {
    private let origins: CORSRule.Origins
    private let actual: [UInt8]
    private let preflight: [UInt8]

    private static let varies = Array("Vary: Origin\r\n".utf8)

    init(_ rule: CORSRule) {
        origins = rule.origins
        let credentials = rule.allowsCredentials ? "Access-Control-Allow-Credentials: true\r\n" : ""
        let exposed = rule.exposed.isEmpty ? "" : "Access-Control-Expose-Headers: \(rule.exposed.joined(separator: ", "))\r\n"
        let methods = rule.methods.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        let headers = rule.headers.isEmpty ? "" : "Access-Control-Allow-Headers: \(rule.headers.joined(separator: ", "))\r\n"
        let age = "Access-Control-Max-Age: \(rule.maxAgeSeconds)\r\n"
        actual = Self.varies + Array("\(credentials)\(exposed)".utf8)
        preflight = Self.varies + Array("\(credentials)Access-Control-Allow-Methods: \(methods)\r\n\(headers)\(age)".utf8)
    }

    /// What the answer to this request carries, whoever makes it: the upstream or the gateway.
    func fields(for head: borrowing RequestHead) -> CORSFields { fields(for: head, granted: actual) }

    /// What the answer to this preflight carries.
    func preflightFields(for head: borrowing RequestHead) -> CORSFields { fields(for: head, granted: preflight) }

    private func fields(for head: borrowing RequestHead, granted: [UInt8]) -> CORSFields {
        guard let range = head.originRange, let origin = allowed(head.bytes.readableBytesUInt8Span.extracting(range)) else {
            return CORSFields(origin: [], rest: Self.varies)
        }
        return CORSFields(origin: origin, rest: granted)
    }

    /// Whether the request comes from a page of a listed origin. That every page may read answers lets none open a WebSocket.
    func allows(_ head: borrowing RequestHead) -> Bool {
        guard case .listed = origins else { return false }
        return !fields(for: head).origin.isEmpty
    }

    private static let star = [UInt8(ascii: "*")]

    private func allowed(_ origin: Span<UInt8>) -> [UInt8]? {
        switch origins {
        case .any: return Self.star
        case .listed(let origins):
            for listed in origins where listed.count == origin.count && Self.equals(listed, origin) { return listed }
            return nil
        }
    }

    private static func equals(_ listed: [UInt8], _ origin: Span<UInt8>) -> Bool {
        for index in listed.indices where listed[index] != origin[index] { return false }
        return true
    }
}

/// The CORS lines of one answer. Nothing of it is copied but into the answer.
struct CORSFields: Sendable {
    /// What `Access-Control-Allow-Origin` says; empty for no such line.
    let origin: [UInt8]
    /// The other lines, each with its end; empty on a route without CORS.
    let rest: [UInt8]

    private static let name: StaticString = "Access-Control-Allow-Origin: "

    /// Of a route without CORS.
    static let none = CORSFields(origin: [], rest: [])

    /// Whether the route has no CORS rule, so that what the upstream says of it passes.
    var isAbsent: Bool { rest.isEmpty }

    /// Bytes that they take at most.
    var size: Int { rest.isEmpty ? 0 : Self.name.utf8CodeUnitCount + origin.count + 2 + rest.count }

    func put(into line: inout Composer) {
        if !origin.isEmpty {
            line.put(Self.name)
            line.put(origin)
            line.put("\r\n")
        }
        line.put(rest)
    }

    func write(into buffer: inout ByteBuffer) {
        guard !isAbsent else { return }
        buffer.compose(atMost: size) { put(into: &$0) }
    }
}
