import CNGHTTP2
package import NIOCore

/// One client's HTTP/2 connection over libnghttp2's session, without the socket: received bytes come to events, answers to bytes.
///
/// libnghttp2 keeps the states of streams, the windows and HPACK; what a message may look like is decided in `HeadBuilder` and by the parser
/// of HTTP/1.1 behind it. Nothing is called back: whoever owns the session reads `scratch.events` after `receive` and `send`. Loop-bound.
@safe package final class HTTP2Session {
    let session: OpaquePointer
    package let scratch: HTTP2Scratch
    /// Every open stream.
    package internal(set) var streams: [Int32: HTTP2Stream] = [:]
    /// Bytes of answers that wait, of all streams.
    var waiting = 0
    /// Bytes of bodies that have come, of all streams.
    package internal(set) var bodyBytes = 0
    /// Bytes of answers that were sent, of all streams.
    package internal(set) var answerBytes = 0
    /// Streams whose window is `HTTP2Limits.wideWindow`.
    var wideStreams = 0
    /// The client's first SETTINGS have come.
    package internal(set) var isBegun = false
    /// When the header block that is arriving began; nil between two.
    package internal(set) var headersBegan: Int64?
    /// The highest stream that was opened, and the last ones that we have reset.
    var highestStream: Int32 = 0
    var resetStreams: [Int32] = []

    /// Bytes of a request's head at most; a change counts from the next one on.
    package var headLimit: Int
    var builder = HeadBuilder()
    var resets = FrameBudget(HTTP2Limits.resets, perSecond: HTTP2Limits.resetsPerSecond)
    var idleFrames = FrameBudget(HTTP2Limits.idleFrames, perSecond: HTTP2Limits.idleFramesPerSecond)
    /// Resets that were counted so far, the client's and those that it has provoked.
    package internal(set) var countedResets = 0
    private var idleBytes = FrameBudget(HTTP2Limits.idleBytes, perSecond: HTTP2Limits.idleBytesPerSecond)
    /// Bytes received that are of no frame that libnghttp2 has told of; negative while a frame is arriving.
    var untoldBytes = 0
    /// Data bytes of the DATA frame that is arriving.
    var frameBytes = 0
    var now: Int64 = 0
    /// What is being received, and where it stands in memory: valid during `receive`.
    var input = ByteBuffer()
    var inputStart: UnsafeRawPointer?
    /// The connection was ended for a flood.
    package private(set) var isFlooded = false

    /// A server's session; its SETTINGS are the first that it sends. Nil without memory.
    package init?(headLimit: Int, scratch: HTTP2Scratch) {
        var made: OpaquePointer?
        guard unsafe nghttp2_session_server_new2(&made, Self.callbacks, nil, Self.options) == 0, let made = unsafe made else { return nil }
        unsafe session = made
        self.scratch = scratch
        self.headLimit = headLimit
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        guard announce() else { return nil }
    }

    deinit { unsafe nghttp2_session_del(session) }

    private func announce() -> Bool {
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(HTTP2Limits.streams)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(HTTP2Limits.streamWindow)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: UInt32(clamping: headLimit)),
            // Its tree of priorities is one thing less that a client can have us work at (RFC 9113 §5.3).
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), value: 1),
        ]
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        return unsafe nghttp2_submit_settings(session, flags, &settings, settings.count) == 0
            && nghttp2_session_set_local_window_size(session, flags, 0, Int32(HTTP2Limits.connectionWindow)) == 0
    }

    // MARK: bytes

    /// Takes received bytes. False where they are no HTTP/2, or an error that nothing can be said about.
    package func receive(_ bytes: ByteBuffer, now: Int64) -> Bool {
        self.now = now
        input = bytes
        let taken = unsafe bytes.withUnsafeReadableBytes { bytes in
            unsafe inputStart = bytes.baseAddress
            defer { unsafe inputStart = nil }
            return unsafe nghttp2_session_mem_recv(session, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
        }
        input = ByteBuffer()
        noteUntold(bytes.readableBytes)
        return taken >= 0
    }

    /// Frames of unknown types, and those for streams that are gone, libnghttp2 drops without a word.
    private func noteUntold(_ received: Int) {
        untoldBytes += received
        guard untoldBytes > 0 else { return }
        if !idleBytes.charge(untoldBytes, now: now) { calmDown() }
        untoldBytes = 0
    }

    /// Makes frames of what there is to say, about `HTTP2Limits.turn` bytes of them, in `scratch.output`; nothing where there is nothing.
    /// False where that fails.
    package func send(now: Int64) -> Bool {
        self.now = now
        scratch.output.clear()
        while scratch.output.readableBytes < HTTP2Limits.turn {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            guard count >= 0 else { return false }
            guard count > 0 else { break }
            unsafe scratch.output.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        return true
    }

    /// There is something to `send`.
    package var wantsToSend: Bool { unsafe nghttp2_session_want_write(session) != 0 }

    /// Both sides have said all.
    package var isOver: Bool { unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }

    // MARK: the end

    /// Tells the client to send its next request elsewhere, and goes on answering (RFC 9113 §6.8).
    package func warn() { unsafe nghttp2_submit_shutdown_notice(session) }

    /// Takes no further streams.
    package func refuseStreams() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2Code.noError.rawValue, nil, 0)
    }

    /// Ends the connection: what was said so far and this code are the last that is sent.
    package func terminate(_ code: HTTP2Code) { unsafe nghttp2_session_terminate_session(session, code.rawValue) }

    /// Ends the connection of a client that has us work for nothing.
    package func calmDown() {
        isFlooded = true
        terminate(.enhanceYourCalm)
    }
}

/// What sessions of one loop share, since only one of them is at work at a time: whoever calls one uses these up before the next.
package final class HTTP2Scratch {
    package var events: [HTTP2Event] = []
    package var output = ByteBuffer()

    package init() {}
}

/// What has become of a stream.
package enum HTTP2Event {
    /// A request's head is there, or a fault of it.
    case request(HTTP2Stream)
    /// More of its body, its end, or a fault of it.
    case body(HTTP2Stream)
    /// There is room for more of its answer.
    case room(HTTP2Stream)
    /// Its answer has been sent whole.
    case sent(HTTP2Stream)
    /// It is gone.
    case closed(HTTP2Stream)
}
