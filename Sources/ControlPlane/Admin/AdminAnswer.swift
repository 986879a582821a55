import NIOCore
import StrictJSON

/// What the admin listener answers: all at once, or piece by piece.
struct AdminAnswer: Sendable {
    enum Body: Sendable {
        case whole([UInt8])
        case stream(AdminStream)
    }

    var status: UInt16
    var contentType: String
    /// Further fields; values are the program's own.
    var fields: [(String, String)] = []
    var body: Body

    init(_ json: JSONWriter, status: UInt16 = 200) {
        self.init(json.bytes, "application/json", status: status)
    }

    init(_ bytes: [UInt8], _ contentType: String, status: UInt16 = 200) {
        self.status = status
        self.contentType = contentType
        body = .whole(bytes)
    }

    /// Lines of JSON, as they come.
    init(lines: AdminStream) {
        status = 200
        contentType = Self.lines
        body = .stream(lines)
    }

    static let lines = "application/x-ndjson"
}

/// A long answer: asked for one piece after the other, each when the client has taken the one before.
struct AdminStream: Sendable {
    enum Piece: Sendable {
        case bytes([UInt8])
        /// Nothing for now: ask again in a moment.
        case nothingYet
        case end
        /// It can't go on: the answer is cut, so that nobody takes it for whole.
        case broken
    }

    /// It never ends by itself.
    let follows: Bool
    /// Calls back once, on any thread.
    let next: @Sendable (@escaping @Sendable (Piece) -> Void) -> Void
}
