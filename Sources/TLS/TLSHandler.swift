package import NIOCore

/// TLS for a server's connection: ciphertext below, plaintext above.
///
/// One pass of received bytes is decrypted into one buffer and passed on. Writes are encrypted, at the latest by `flush`, into one
/// buffer that goes to the socket in one write. An idle connection holds OpenSSL's session and no buffer.
///
/// - Fires `TLSHandshakeCompleted`, then data. The peer's close_notify is `ChannelEvent.inputClosed`: writing goes on being possible.
///   A TCP FIN without it is `TLSError.truncated`. The channel needs `allowRemoteHalfClosure`, else NIO closes it at the FIN.
/// - Any `TLSError` is fired once by `errorCaught`; the alert, if any, has been sent, and the handler closes the channel.
/// - `close(.all)` sends what was written and close_notify before it closes; `close(.output)` likewise, and reading goes on. If the
///   peer takes nothing, a second `close(.all)` closes at once, and so does every `close` after `cut()`.
/// - It has no timer: who owns the connection's timeouts closes it if `isHandshaking` for too long.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    let context: TLSContext
    var lifecycle = TLSLifecycle()
    /// Made with the first byte received, freed as soon as the connection has ended.
    var session: TLSSession?

    /// Plaintext that waits for `flush` or for a record's worth of it.
    var staged = ByteBuffer()
    /// Fulfilled when everything written so far has been sent.
    var stagedPromise: EventLoopPromise<Void>?
    /// Plaintext bytes encrypted so far, up to `TLSLimits.early`.
    var bytesEncrypted = 0

    /// Ciphertext bytes of an unfinished record that OpenSSL holds.
    private var carried = 0
    /// The handlers above have asked for data and had none yet.
    private var readRequested = false

    package init(context: TLSContext) { self.context = context }

    /// No handshake has been completed yet; false too when it has failed.
    package var isHandshaking: Bool {
        switch lifecycle.phase {
        case .fresh, .handshaking: true
        case .established, .ended: false
        }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let ciphertext = unwrapInboundIn(data)
        guard let first = ciphertext.readableBytesView.first else { return }
        switch lifecycle.received(ciphertext.readableBytes, first: first) {
        case .ignore: return
        case .failure(let error): return fail(context, error)
        case .handshake, .data: break
        }
        var plaintext = ByteBuffer()
        let news = decrypt(ciphertext, into: &plaintext, isWritable: context.channel.isWritable)
        if let completed = news.completed { context.fireUserInboundEventTriggered(completed) }
        if plaintext.readableBytes > 0 {
            readRequested = false
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        if let error = news.error { return fail(context, error) }
        if news.closed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // The handshake's messages; what the handlers above have flushed has taken them along.
        sendOutput(context)
        if readRequested { context.read() }
    }

    package func read(context: ChannelHandlerContext) {
        readRequested = true
        context.read()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        switch lifecycle.streamEnded() {
        case .expected: break
        case .unused: context.close(promise: nil)
        case .failure(let error): fail(context, error)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        if case .failure(let error) = lifecycle.streamEnded() { context.fireErrorCaught(error) }
        lifecycle.end()
        release()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { release() }
}

// MARK: decrypting

extension TLSHandler {
    /// What received bytes came to, beside the plaintext.
    private struct News {
        var completed: TLSHandshakeCompleted?
        var closed = false
        var error: TLSError?
    }

    private func decrypt(_ ciphertext: ByteBuffer, into plaintext: inout ByteBuffer, isWritable: Bool) -> News {
        guard let session = session ?? TLSSession(serving: self.context.start) else {
            return News(error: .protocolViolation("out of memory"))
        }
        self.session = session
        var news = News()
        unsafe ciphertext.withUnsafeReadableBytes { bytes in
            unsafe session.feed(bytes) {
                if isHandshaking { shakeHands(session, &news) }
                if lifecycle.phase == .established { readRecords(session, into: &plaintext, &news, isWritable: isWritable) }
            }
        }
        return news
    }

    private func shakeHands(_ session: TLSSession, _ news: inout News) {
        switch session.handshake() {
        case .needsInput: break
        case .failed(let error): news.error = error
        case .done(let completed):
            news.completed = completed
            lifecycle.handshakeDone(completed.version)
        }
    }

    /// Reads every whole record of what was received. A record's plaintext is shorter than the record, so that one buffer of the size
    /// of what was received holds it all.
    private func readRecords(_ session: TLSSession, into plaintext: inout ByteBuffer, _ news: inout News, isWritable: Bool) {
        while session.inputLeft > 0 {
            if plaintext.capacity == 0 { plaintext.reserveCapacity(carried + session.inputLeft) }
            let before = session.inputLeft
            let unasked = session.outputSize
            switch session.read(into: &plaintext) {
            case .data:
                carried = 0
                lifecycle.dataRead()
            case .needsInput: carried += before
            case .nothing: news.error = lifecycle.uselessRecordRead()
            case .closed:
                lifecycle.closeNotifyRead()
                news.closed = true
            case .failed(let error): news.error = error
            }
            if news.error == nil, session.outputSize > unasked { news.error = lifecycle.answerMade(isWritable: isWritable) }
            if news.error != nil || news.closed { return }
        }
    }
}

// MARK: ending

extension TLSHandler {
    /// Sends the alert that OpenSSL has made, reports, closes.
    func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        lifecycle.end()
        sendOutput(context)
        context.fireErrorCaught(error)
        release()
        context.close(promise: nil)
    }

    /// Frees everything; writes that were never flushed fail.
    func release() {
        session = nil
        staged = ByteBuffer()
        stagedPromise?.fail(ChannelError.ioOnClosedChannel)
        stagedPromise = nil
    }
}
