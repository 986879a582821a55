/// The bounds of one client's connection, each with unit and reason. A client that comes to one gets a stream or connection error.
package enum HTTP2Limits {
    // MARK: what SETTINGS say (RFC 9113 §6.5.2); what is not here has the RFC's initial value

    /// Streams that a client may have open: what RFC 9113 §6.5.2 recommends at least is 100, more only lets one client hold more.
    package static let streams = 128
    /// Bytes of a request's body that may be under way on one stream, and what it holds at most while nobody reads it. RFC 9113's own is a
    /// byte less.
    package static let streamWindow = 64 * 1024
    /// The same once its service reads: 5 MB/s at 50 ms.
    package static let wideWindow = 256 * 1024
    /// Streams that have that at a time.
    package static let wideStreams = 16
    /// Bytes of all streams' bodies that a connection holds at most while nobody reads them. `UpstreamPool` bounds how many of them wait,
    /// and refused ones hold nothing.
    package static let bodies = (streams - wideStreams) * streamWindow + wideStreams * wideWindow
    /// Bytes of all streams' bodies that may be under way: twice what can be held, because libnghttp2 gives a window back by halves. So bodies
    /// that nobody reads never hold up another one.
    package static let connectionWindow = 2 * bodies

    // MARK: what is held of answers

    /// Bytes of a stream's answer above which no more is read from its service.
    package static let streamHigh = 64 * 1024
    /// Bytes of a stream's answer below which reading goes on.
    package static let streamLow = 16 * 1024
    /// Bytes of all streams' answers above which a stream reads only what it has nothing else to send for, and of that no more than
    /// `crowdedPiece` at a time: many streams that the client doesn't take hold little more than one, and each that it takes goes on.
    package static let connectionHigh = 1024 * 1024
    /// Bytes of an answer that are read at a time from then on. A service behind TLS can give a whole record of 16 KiB.
    package static let crowdedPiece = 4 * 1024
    /// Bytes made for the socket at a time: one turn of the loop for each.
    package static let turn = 128 * 1024

    // MARK: floods

    /// Streams that may have been reset, by the client (CVE-2023-44487) or by us for a fault of the client's (CVE-2025-8671), beyond those
    /// that were answered: a browser that leaves a page drops what it had open.
    package static let resets = 200
    /// Resets a second that are forgiven.
    package static let resetsPerSecond = 20
    /// The same of all connections from one source address, whatever they were answered: one that is sent away comes back at once. A
    /// request that is taken back can cost the service a connection, and a machine can make some 470 a second to one server for long.
    package static let sourceResets = 2000
    package static let sourceResetsPerSecond = 200
    /// Source addresses whose resets are remembered, a power of two.
    package static let resetSources = 4096
    /// Bytes of frames that mean nothing here: of types that are unknown, or for streams that have ended. As much as can be under way of
    /// bodies when their streams end.
    package static let idleBytes = connectionWindow
    /// Such bytes a second that are forgiven.
    package static let idleBytesPerSecond = 1024 * 1024
    /// Frames that move nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, GOAWAY, CONTINUATION, empty DATA) beyond what requests and
    /// answers call for.
    package static let idleFrames = 1000
    /// Such frames a second that are forgiven.
    package static let idleFramesPerSecond = 100
    /// Such frames that a request calls for.
    static let framesPerRequest = 4
    /// Such frames that a piece of an answer calls for: window updates of stream and connection, and a PING that measures.
    static let framesPerPiece = 3
    /// Bytes of a piece of an answer that calls for them though the client's window made it small.
    static let piece = 1024
    /// Bytes of an answer that call for one at least: a client that reads with a small buffer gives 512 bytes back at a time, twice.
    static let bytesPerFrame = 256
    /// CONTINUATION frames of one header block (CVE-2024-28182): twice what `limits.headers` can ever need, since libnghttp2 counts one that
    /// comes in two reads twice.
    static let continuations = 32
    /// Frames that await our acknowledgement and that the client doesn't let us send.
    static let outboundAcknowledgements = 256
    /// How many times a header block may come to what is allowed before it ends the connection: it is decoded to its end all the same,
    /// and a byte of it can stand for 4 KiB (a "HPACK bomb").
    static let headerExcess = 4
}
