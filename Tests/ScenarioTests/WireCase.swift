import TestSupport

/// A message on the wire and the code with which the gateway must refuse it. More than one where RFC and SPEC leave it open which rule
/// notices first.
struct WireCase: Sendable {
    let name: String
    let bytes: [UInt8]
    let codes: Set<String>
    /// The fault is in the body: the head may have gone upstream, a whole request must not.
    var isInBody = false

    init(_ name: String, _ text: String, _ codes: Set<String> = ["bad_request"], inBody: Bool = false) {
        self.init(name, Array(text.utf8), codes, inBody: inBody)
    }

    init(_ name: String, _ bytes: [UInt8], _ codes: Set<String> = ["bad_request"], inBody: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.codes = codes
        isInBody = inBody
    }
}

/// The good request that every case is a bad variation of: a member of Acme asks for a page.
enum GoodRequest {
    static let token = Dialect.jitsudo.memberToken
    static let identity = "Authorization: Bearer \(token)\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"

    /// With another request line.
    static func line(_ line: String) -> String { "\(line)\r\nHost: gateway.test\r\n\(identity)\r\n" }

    /// With another target.
    static func target(_ target: String, method: String = "GET") -> String { line("\(method) \(target) HTTP/1.1") }

    /// With further field lines, each without its end.
    static func fields(_ fields: String...) -> String {
        "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\n\(identity)\(fields.map { $0 + "\r\n" }.joined())\r\n"
    }

    /// Without `Host`, but with these field lines.
    static func host(_ fields: String...) -> String {
        "GET /v1/page HTTP/1.1\r\n\(fields.map { $0 + "\r\n" }.joined())\(identity)\r\n"
    }

    /// Without `X-Tenant-ID`, but with these field lines.
    static func tenant(_ fields: String...) -> String {
        "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer \(token)\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n"
    }

    /// A POST with these field lines and whatever follows the head.
    static func post(_ fields: [String], _ body: String) -> String {
        "POST /v1/page HTTP/1.1\r\nHost: gateway.test\r\n\(identity)\(fields.map { $0 + "\r\n" }.joined())\r\n\(body)"
    }

    /// A chunked POST.
    static func chunked(_ body: String) -> String { post(["Transfer-Encoding: chunked"], body) }
}

/// A gateway in front of a recording upstream, for tables.
final class Bench: Sendable {
    let upstream: RecordingUpstream
    let gateway: Gateway
    private let folder: TemporaryFolder

    init(descriptors: (Int, Int)? = nil, _ edit: (inout GatewayFile) -> Void = { _ in }) throws {
        upstream = try RecordingUpstream()
        folder = try TemporaryFolder()
        var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        edit(&file)
        gateway = try Gateway(file: file.write(to: folder), in: folder, descriptors: descriptors)
    }

    /// Sends the bytes on a connection of their own, and reads what comes.
    func ask(_ bytes: [UInt8]) throws -> WireAnswer {
        let client = try gateway.client()
        defer { client.stream.close() }
        let method = String(decoding: bytes.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        return try client.exchange(bytes, method: method)
    }
}
