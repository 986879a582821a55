import CNGHTTP2
import NIOCore

// What libnghttp2 calls while it reads and writes. A failure here would leave the session undefined: all return 0.
extension HTTP2Session {
    /// The same for all sessions; never freed and never changed once made.
    nonisolated(unsafe) static let options: OpaquePointer? = {
        var options: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0 else { return nil }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // `HeadBuilder` decides, so that a bad request gets its answer and its line in the log.
        unsafe nghttp2_option_set_no_http_messaging(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, HTTP2Limits.outboundAcknowledgements)
        unsafe nghttp2_option_set_max_continuations(options, HTTP2Limits.continuations)
        unsafe nghttp2_option_set_max_send_header_block_length(options, 1 << 20)
        return unsafe options
    }()

    /// The same.
    nonisolated(unsafe) static let callbacks: OpaquePointer? = {
        var callbacks: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, session in
            unsafe HTTP2Session.behind(session).frameBegan(header!.pointee)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, session in
            unsafe HTTP2Session.behind(session).headersBegan(frame!.pointee)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, frame, name, nameLength, value, valueLength, _, session in
            let name = unsafe Span(_unsafeStart: name!, count: nameLength)
            let value = unsafe Span(_unsafeStart: value!, count: valueLength)
            unsafe HTTP2Session.behind(session).field(name, value)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, session in
            unsafe HTTP2Session.behind(session).dataCame(stream, UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, session in
            unsafe HTTP2Session.behind(session).frameEnded(frame!.pointee)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, _, session in
            unsafe HTTP2Session.behind(session).streamClosed(stream)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, session in
            unsafe HTTP2Session.behind(session).frameSent(frame!.pointee)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, source, session in
            unsafe HTTP2Session.behind(session).sendData(
                UnsafeRawBufferPointer(start: header, count: 9), count, of: HTTP2Stream.behind(source!.pointee.ptr))
        }
        return unsafe callbacks
    }()

    static func behind(_ session: UnsafeMutableRawPointer?) -> HTTP2Session {
        unsafe Unmanaged<HTTP2Session>.fromOpaque(session!).takeUnretainedValue()
    }
}

// MARK: what comes

extension HTTP2Session {
    private func frameBegan(_ header: nghttp2_frame_hd) {
        frameBytes = 0
        untoldBytes -= 9 + header.length
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue: refuseDeadStream(header.stream_id)
        case NGHTTP2_DATA.rawValue, NGHTTP2_RST_STREAM.rawValue: break
        case NGHTTP2_PRIORITY.rawValue where header.stream_id == 0: terminate(.protocolError)
        default: chargeFrame()
        }
    }

    /// Fields on a stream that has ended or was left out (§5.1, §5.1.1), which libnghttp2 overlooks, as it does DATA: the client has lost
    /// count. Trailers of what we have reset may still be on their way.
    private func refuseDeadStream(_ id: Int32) {
        guard id <= highestStream, id & 1 == 1, streams[id] == nil, !resetStreams.contains(id) else { return }
        terminate(.streamClosed)
    }

    private func chargeFrame() {
        if !idleFrames.charge(now: now) { calmDown() }
    }

    private func chargeReset() {
        countedResets += 1
        if !resets.charge(now: now) { calmDown() }
    }

    private func headersBegan(_ frame: nghttp2_frame) {
        headersBegan = now
        guard unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST else { return builder.beginTrailers(limit: 8 * 1024) }
        let stream = HTTP2Stream(id: unsafe frame.hd.stream_id)
        stream.began = now
        streams[stream.id] = stream
        highestStream = max(highestStream, stream.id)
        unsafe nghttp2_session_set_stream_user_data(session, stream.id, Unmanaged.passUnretained(stream).toOpaque())
        idleFrames.credit(HTTP2Limits.framesPerRequest)
        builder.beginRequest(limit: headLimit, target: 8 * 1024)
    }

    private func field(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        builder.add(name, value)
        if builder.decoded > headLimit * HTTP2Limits.headerExcess { calmDown() }
    }

    private func dataCame(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        frameBytes += bytes.count
        bodyBytes += bytes.count
        guard let stream = stream(id), let start = unsafe inputStart, let base = bytes.baseAddress else {
            unsafe nghttp2_session_consume_connection(session, bytes.count)
            return
        }
        stream.receivedLength += bytes.count
        if stream.declaredLength >= 0, stream.receivedLength > stream.declaredLength { stream.fault = stream.fault ?? .malformed }
        stream.unconsumed += bytes.count
        if stream.isInputDropped || stream.fault != nil {
            dropInput(of: stream)
        } else if let piece = unsafe input.getSlice(at: input.readerIndex + (UnsafeRawPointer(base) - start), length: bytes.count) {
            if stream.incoming.readableBytes == 0 { stream.incoming = piece } else { stream.incoming.writeImmutableBuffer(piece) }
        }
        note(stream)
    }

    private func frameEnded(_ frame: nghttp2_frame) {
        let header = unsafe frame.hd
        let isLast = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            headersBegan = nil
            guard let stream = stream(header.stream_id) else { return }
            if unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST { requestCame(stream, isLast) } else { trailersCame(stream, isLast) }
        case NGHTTP2_DATA.rawValue:
            if isLast, let stream = stream(header.stream_id) { bodyEnded(stream) } else if frameBytes == 0 { chargeFrame() }
        case NGHTTP2_RST_STREAM.rawValue: chargeReset()
        case NGHTTP2_SETTINGS.rawValue: isBegun = true
        default: break
        }
    }

    private func requestCame(_ stream: HTTP2Stream, _ isLast: Bool) {
        builder.finish(isEnded: isLast)
        stream.declaredLength = builder.declaredLength
        stream.fault = builder.fault
        stream.head = builder.take()
        stream.isInputEnded = isLast
        if isLast, stream.declaredLength > 0, stream.fault == nil { stream.fault = .malformed }
        scratch.events.append(.request(stream))
    }

    private func trailersCame(_ stream: HTTP2Stream, _ isLast: Bool) {
        builder.finish(isEnded: true)
        stream.fault = stream.fault ?? builder.fault ?? (isLast ? nil : .malformed)
        stream.trailers = builder.take()
        if isLast { bodyEnded(stream) } else { note(stream) }
    }

    private func bodyEnded(_ stream: HTTP2Stream) {
        stream.isInputEnded = true
        if stream.declaredLength >= 0, stream.receivedLength != stream.declaredLength { stream.fault = stream.fault ?? .malformed }
        note(stream)
    }

    private func note(_ stream: HTTP2Stream) {
        guard !stream.isNoted else { return }
        stream.isNoted = true
        scratch.events.append(.body(stream))
    }

    private func streamClosed(_ id: Int32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.isClosed = true
        if stream.isWide { wideStreams -= 1 }
        waiting -= stream.waiting
        stream.outgoing = ByteBuffer()
        // Its share of the connection's window goes back to the others.
        if stream.unconsumed > 0 { unsafe nghttp2_session_consume_connection(session, stream.unconsumed) }
        stream.unconsumed = 0
        scratch.events.append(.closed(stream))
    }

    private func stream(_ id: Int32) -> HTTP2Stream? { streams[id] }
}

// MARK: what goes

extension HTTP2Session {
    private func frameSent(_ frame: nghttp2_frame) {
        let header = unsafe frame.hd
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            guard UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0, let stream = streams[header.stream_id] else { return }
            answerSent(stream)
        case NGHTTP2_RST_STREAM.rawValue:
            resetStreams.append(header.stream_id)
            if resetStreams.count > HTTP2Limits.streams { resetStreams.removeFirst() }
            noteReset(unsafe frame.rst_stream.error_code)
        default: break
        }
    }

    /// Faults of the client's; what we end for reasons of our own is not its doing.
    private func noteReset(_ code: UInt32) {
        switch code {
        case HTTP2Code.noError.rawValue, HTTP2Code.cancel.rawValue, HTTP2Code.internalError.rawValue: break
        // Nothing was done for a stream beyond what may be open, and before our SETTINGS have come to it the client can't know.
        case HTTP2Code.refusedStream.rawValue: chargeFrame()
        default: chargeReset()
        }
    }

    private func answerSent(_ stream: HTTP2Stream) {
        stream.isSent = true
        if stream.code == nil, stream.isServiced { resets.credit(1) }
        scratch.events.append(.sent(stream))
        if let code = stream.code ?? (stream.isInputEnded ? nil : .noError) { reset(stream, code) }
    }

    /// Puts the header of a DATA frame and `count` bytes of the answer behind what is to be sent.
    private func sendData(_ header: UnsafeRawBufferPointer, _ count: Int, of stream: HTTP2Stream) -> CInt {
        guard scratch.output.readableBytes < HTTP2Limits.turn else { return NGHTTP2_ERR_WOULDBLOCK.rawValue }
        unsafe scratch.output.writeBytes(header)
        guard count > 0, var piece = stream.outgoing.readSlice(length: count) else { return 0 }
        scratch.output.writeBuffer(&piece)
        stream.sentBytes += count
        answerBytes += count
        waiting -= count
        let isPiece = stream.waiting == 0 || count >= HTTP2Limits.piece
        idleFrames.credit(max(isPiece ? HTTP2Limits.framesPerPiece : 0, count / HTTP2Limits.bytesPerFrame))
        if stream.waiting == 0 { stream.outgoing = ByteBuffer() }
        if stream.isHeld, stream.waiting < HTTP2Limits.streamLow {
            stream.isHeld = false
            scratch.events.append(.room(stream))
        }
        return 0
    }
}

extension HTTP2Stream {
    static func behind(_ stream: UnsafeMutableRawPointer?) -> HTTP2Stream {
        unsafe Unmanaged<HTTP2Stream>.fromOpaque(stream!).takeUnretainedValue()
    }
}
