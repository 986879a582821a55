/// The bounds of one side's messages, each in bytes unless it says otherwise. What exceeds one is refused, never cut.
package struct WireLimits: Sendable {
    /// A request's target: `WireError.uriTooLong` beyond.
    package var target: Int
    /// A whole head, from the start line to the empty line that ends it: `.headersTooLarge` beyond.
    package var head: Int
    /// Fields in a head or a trailer section (a count): `.headersTooLarge` beyond. Keeps duplicate checks and tables small.
    package var fieldCount: Int
    /// A chunk-size line with its extensions, without its CRLF.
    package var chunkLine: Int
    /// A whole trailer section with the empty line that ends it.
    package var trailers: Int

    package init(
        target: Int = 8 * 1024, head: Int = 32 * 1024, fieldCount: Int = 128, chunkLine: Int = 256, trailers: Int = 8 * 1024
    ) {
        self.target = target
        self.head = head
        self.fieldCount = fieldCount
        self.chunkLine = chunkLine
        self.trailers = trailers
    }

    /// Bytes of a method: the longest registered one (`UPDATEREDIRECTREF`) has 17.
    static let method = 32
    /// Bytes that a request line holds besides its target: method, two spaces, version, CRLF.
    static let startLineSlack = method + " HTTP/1.1\r\n".utf8.count + 1
    /// Options in all `Connection` fields of a head (a count): each is compared with the head's fields.
    static let connectionOptions = 16
    /// Interim (1xx) answers before the final one (a count): no server needs more than a few.
    static let interimAnswers = 16
    /// Hex digits of a chunk size (a count), leading zeros included.
    static let chunkSizeDigits = 16
    /// Bytes by which chunk framing may outweigh what it frames: see `ChunkDecoder`.
    static let chunkOverhead = 16 * 1024
    /// The largest body or chunk that is believed: 2^53, the largest integer that every JSON and JavaScript reader keeps exact.
    static let length = 1 << 53
}
