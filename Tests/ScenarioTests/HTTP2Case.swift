import TestSupport

/// What a client sends on a fresh HTTP/2 connection, and what must come of it. Streams 1 and up are the case's own.
struct HTTP2Case: Sendable {
    let name: String
    let bytes: [UInt8]
    let outcome: HTTP2Outcome
    /// Preface and SETTINGS go before it.
    var greets = true
    /// The fault comes after a good head: that may have gone upstream, a whole request must not.
    var isLate = false

    init(_ name: String, _ outcome: HTTP2Outcome, _ frames: HTTP2Frame..., late: Bool = false) {
        self.init(name, outcome, bytes: frames.flatMap(\.bytes), late: late)
    }

    init(_ name: String, _ outcome: HTTP2Outcome, bytes: [UInt8], greets: Bool = true, late: Bool = false) {
        (self.name, self.outcome, self.bytes, self.greets, isLate) = (name, outcome, bytes, greets, late)
    }
}

enum HTTP2Outcome: Sendable {
    /// The connection ends, by GOAWAY with one of these codes or without a word where there are none.
    case connection(Set<UInt32>)
    /// Stream 1 is reset with one of these codes, and the connection goes on.
    case stream(Set<UInt32>)
    /// Stream 1 is answered by the gateway with this code, and the connection goes on; with a reset of this code behind it.
    case refused(String, reset: UInt32? = nil)
    /// Nothing comes, and the connection goes on.
    case silence
    /// Stream 1 gets the upstream's answer.
    case passes

    /// A request that RFC 9113 §8.1.1 calls malformed: answered, and a stream error.
    static let malformed = refused("bad_request", reset: HTTP2Codes.protocolError)
    static let protocolError = connection([HTTP2Codes.protocolError])
    static let frameSize = connection([HTTP2Codes.frameSize])
    static let compression = connection([HTTP2Codes.compression])
}

/// RFC 9113 §7.
enum HTTP2Codes {
    static let noError: UInt32 = 0
    static let protocolError: UInt32 = 1
    static let internalError: UInt32 = 2
    static let flowControl: UInt32 = 3
    static let streamClosed: UInt32 = 5
    static let frameSize: UInt32 = 6
    static let refusedStream: UInt32 = 7
    static let cancel: UInt32 = 8
    static let compression: UInt32 = 9
    static let enhanceYourCalm: UInt32 = 11
}

/// The good request that every case is a bad variation of: a member of Acme asks for a page.
enum GoodStream {
    static let token = Dialect.jitsudo.memberToken
    static let identity = [HTTP2Field("authorization", "Bearer \(token)"), HTTP2Field("x-tenant-id", TestIssuers.acme)]

    static func fields(_ method: String = "GET", _ path: String = "/v1/page", _ more: [HTTP2Field] = []) -> [HTTP2Field] {
        pseudo(method, path) + identity + more
    }

    static func pseudo(
        _ method: String = "GET", _ path: String = "/v1/page", scheme: String = "https", authority: String? = "gateway.test"
    ) -> [HTTP2Field] {
        [HTTP2Field(":method", method), HTTP2Field(":scheme", scheme)] + (authority.map { [HTTP2Field(":authority", $0)] } ?? [])
            + [HTTP2Field(":path", path)]
    }

    static func with(_ more: HTTP2Field...) -> HTTP2Frame { .headers(1, fields("GET", "/v1/page", more)) }

    /// A POST on another stream, whose body follows.
    static func headers(_ stream: UInt32, _ more: [HTTP2Field]) -> HTTP2Frame {
        .headers(stream, fields("POST", "/v1/page", more), end: false)
    }

    static func post(_ more: HTTP2Field...) -> HTTP2Frame { .headers(1, fields("POST", "/v1/page", more), end: false) }

    static func target(_ path: String, method: String = "GET") -> HTTP2Frame { .headers(1, fields(method, path)) }

    /// In place of the usual pseudo-fields.
    static func starting(_ pseudo: [HTTP2Field], end: Bool = true) -> HTTP2Frame { .headers(1, pseudo + identity, end: end) }

    /// Without the pseudo-field of this name.
    static func without(_ name: String) -> HTTP2Frame { starting(pseudo().filter { $0.name != Array(name.utf8) }) }
}
