import CNGHTTP2
package import HTTPWire
package import NIOCore

// For whoever deals with a request.
extension HTTP2Session {
    // MARK: the request's body

    /// What has come of the body since this was last asked; nil where there is nothing. The client may send as much again.
    package func take(_ stream: HTTP2Stream) -> ByteBuffer? {
        stream.isNoted = false
        guard stream.incoming.readableBytes > 0 else { return nil }
        let piece = stream.incoming
        stream.incoming = ByteBuffer()
        consume(stream)
        widen(stream)
        return piece
    }

    /// Lets more of a large body come at a time, now that somebody reads it.
    private func widen(_ stream: HTTP2Stream) {
        guard !stream.isWide, !stream.isInputEnded, !stream.isClosed, wideStreams < HTTP2Limits.wideStreams,
            stream.declaredLength < 0 || stream.declaredLength - stream.receivedLength > HTTP2Limits.streamWindow
        else { return }
        stream.isWide = true
        wideStreams += 1
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        _ = unsafe nghttp2_session_set_local_window_size(session, flags, stream.id, Int32(HTTP2Limits.wideWindow))
    }

    /// Nobody wants the body: what there is and what comes is dropped.
    package func dropInput(of stream: HTTP2Stream) {
        stream.isInputDropped = true
        stream.incoming = ByteBuffer()
        consume(stream)
    }

    private func consume(_ stream: HTTP2Stream) {
        guard stream.unconsumed > 0, !stream.isClosed else { return }
        unsafe nghttp2_session_consume(session, stream.id, stream.unconsumed)
        stream.unconsumed = 0
    }

    // MARK: the answer

    /// Sends an interim answer with the fields that `keep` picks.
    package func interim(_ stream: HTTP2Stream, _ head: borrowing ResponseHead, keeping keep: (Field) -> Bool) {
        guard !stream.isClosed, !stream.isAnswered else { return }
        unsafe withFields(head.message, status: head.status, keeping: keep, adding: nil) { fields, count in
            unsafe nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, fields, count, nil)
        }
    }

    /// Begins the answer with the fields that `keep` picks and one more. `hasBody`: pieces and `end` follow.
    package func answer(
        _ stream: HTTP2Stream, _ head: borrowing ResponseHead, adding more: (name: StaticString, value: ByteBuffer)?, hasBody: Bool,
        keeping keep: (Field) -> Bool
    ) {
        guard !stream.isClosed, !stream.isAnswered else { return }
        stream.isAnswered = true
        unsafe withFields(head.message, status: head.status, keeping: keep, adding: more) { fields, count in
            guard hasBody else { return unsafe nghttp2_submit_response(session, stream.id, fields, count, nil) }
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
            unsafe provider.read_callback = { _, _, _, most, flags, source, session in
                let stream = unsafe HTTP2Stream.behind(source!.pointee.ptr)
                return unsafe HTTP2Session.behind(session).provide(stream, atMost: most, &flags!.pointee)
            }
            return unsafe nghttp2_submit_response(session, stream.id, fields, count, &provider)
        }
    }

    /// Adds a piece to the answer's body.
    package func add(_ piece: ByteBuffer, to stream: HTTP2Stream) {
        guard !stream.isClosed, !stream.isOutputEnded, piece.readableBytes > 0 else { return }
        waiting += piece.readableBytes
        if stream.outgoing.readableBytes == 0 { stream.outgoing = piece } else { stream.outgoing.writeImmutableBuffer(piece) }
        if isCrowded { stream.compact() }
        unsafe nghttp2_session_resume_data(session, stream.id)
    }

    /// Ends the answer, with the trailer fields that are not hop by hop.
    package func end(_ stream: HTTP2Stream, trailers: MessageHead?) {
        guard !stream.isClosed else { return }
        stream.isOutputEnded = true
        stream.outgoingTrailers = trailers
        unsafe nghttp2_session_resume_data(session, stream.id)
    }

    /// Whether more of the answer is to be had for the stream now; where not, `.room` tells when.
    package func hasRoom(_ stream: HTTP2Stream) -> Bool {
        // Once it is held, only `.room` ends that.
        if !stream.isHeld {
            let own = stream.waiting
            stream.isHeld = own >= HTTP2Limits.streamHigh || (own > 0 && waiting >= HTTP2Limits.connectionHigh)
        }
        return !stream.isHeld
    }

    /// So much waits that answers are read in small pieces.
    package var isCrowded: Bool { waiting >= HTTP2Limits.connectionHigh }

    /// Ends the stream at once.
    package func reset(_ stream: HTTP2Stream, _ code: HTTP2Code) {
        guard !stream.isClosed else { return }
        unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
    }

    /// Hands the fields that `keep` picks to `body` as libnghttp2 has them: pointers into the head, which it copies, with names in lower
    /// case.
    fileprivate func withFields(
        _ head: borrowing MessageHead, status: UInt16?, keeping keep: (Field) -> Bool,
        adding more: (name: StaticString, value: ByteBuffer)?,
        _ body: (UnsafePointer<nghttp2_nv>?, Int) -> CInt
    ) {
        let all = head.fields
        let bytes = head.bytes
        let none = UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
        var digits = InlineArray<3, UInt8>(repeating: UInt8(ascii: "0"))
        var rest = status ?? 0
        for index in [2, 1, 0] {
            digits[index] += UInt8(rest % 10)
            rest /= 10
        }
        unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: all.count + 2) { fields in
            unsafe bytes.withUnsafeReadableBytes { bytes in
                let base = unsafe UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
                unsafe digits.span.withUnsafeBufferPointer { digits in
                    var count = 0
                    if status != nil {
                        unsafe fields[0] = nghttp2_nv(":status", UnsafeMutablePointer(mutating: digits.baseAddress), 3, none)
                        count = 1
                    }
                    for field in all where keep(field) {
                        unsafe fields[count] = nghttp2_nv(
                            name: base! + field.name.lowerBound, value: base! + field.value.lowerBound, namelen: field.name.count,
                            valuelen: field.value.count, flags: none)
                        count += 1
                    }
                    guard let more else {
                        _ = unsafe body(fields.baseAddress, count)
                        return
                    }
                    unsafe more.value.withUnsafeReadableBytes { value in
                        let start = unsafe UnsafeMutablePointer(mutating: value.bindMemory(to: UInt8.self).baseAddress)
                        // Another one for each answer: not worth a place in the client's table.
                        unsafe fields[count] = nghttp2_nv(more.name, start, value.count, UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue))
                        _ = unsafe body(fields.baseAddress, count + 1)
                    }
                }
            }
        }
    }

    /// How much of the answer goes into the next DATA frame, which may have `most` bytes; `sendData` puts it there.
    private func provide(_ stream: HTTP2Stream, atMost most: Int, _ flags: inout UInt32) -> Int {
        if stream.waiting == 0, !stream.isOutputEnded { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        let count = min(most, stream.waiting)
        if stream.isOutputEnded, count == stream.waiting {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if submitTrailers(of: stream) { flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
        }
        return count
    }

    /// False where there are none.
    private func submitTrailers(of stream: HTTP2Stream) -> Bool {
        guard let trailers = stream.outgoingTrailers else { return false }
        var isSubmitted = false
        unsafe withFields(trailers, status: nil, keeping: { !$0.isHopByHop }, adding: nil) { fields, count in
            if count > 0 { isSubmitted = unsafe nghttp2_submit_trailer(session, stream.id, fields, count) == 0 }
            return 0
        }
        return isSubmitted
    }
}

extension nghttp2_nv {
    fileprivate init(_ name: StaticString, _ value: UnsafeMutablePointer<UInt8>?, _ count: Int, _ flags: UInt8) {
        unsafe self.init(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: value, namelen: name.utf8CodeUnitCount, valuelen: count,
            flags: flags)
    }
}
