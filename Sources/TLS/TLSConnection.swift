package import NIOCore

/// TLS of one connection, without the socket: ciphertext and plaintext go in and out as bytes.
///
/// Received bytes are decrypted in one pass into one buffer. What is written is put together until it fills a record or `flush` is
/// called. Records to send are appended to the loop's `records.output`, which the caller sends after each call. An idle connection
/// holds OpenSSL's session and no buffer.
///
/// It has no timer: who owns the connection's timeouts closes it if `isHandshaking` for too long.
package final class TLSConnection {
    /// Where a server's session starts; nil for a client.
    package let context: TLSContext?
    let records: TLSRecords
    var lifecycle = TLSLifecycle()
    /// A server's is made with the first byte received. Freed as soon as the connection has ended.
    var session: TLSSession?

    /// Plaintext that waits for `flush` or for a record's worth of it.
    private var staged = ByteBuffer()
    /// Plaintext bytes encrypted so far, up to `TLSLimits.early`.
    private var bytesEncrypted = 0
    /// Ciphertext bytes of an unfinished record that OpenSSL holds.
    private var carried = 0

    /// A server's connection in `context`; `records` is the loop's.
    package init(context: TLSContext, records: TLSRecords) {
        self.context = context
        self.records = records
    }

    /// A client's connection to the server that is `identity`; `nil` without memory. Call `begin` once TCP stands. `sessions` are those
    /// with this very server under the same context and identity.
    package init?(
        client: TLSClientContext, to identity: TLSServerIdentity, records: TLSRecords, resuming sessions: TLSClientSessions? = nil
    ) {
        guard let session = TLSSession(with: identity, in: client, records: records, resuming: sessions) else { return nil }
        context = nil
        self.records = records
        self.session = session
    }

    /// Makes a client's first message.
    package func begin() -> News {
        guard let session, context == nil else { return News() }
        lifecycle.begin()
        var news = News()
        unsafe records.feed(UnsafeRawBufferPointer(start: nil, count: 0)) { shakeHands(session, &news) }
        return news.error == nil ? news : failed(news)
    }

    /// No handshake has been completed yet; false too when it has failed.
    package var isHandshaking: Bool {
        switch lifecycle.phase {
        case .fresh, .handshaking: true
        case .established, .ended: false
        }
    }

    /// A part of a record has come, and the rest has not.
    package var isInsideRecord: Bool { carried > 0 }

    /// Nothing has been received yet.
    package var isFresh: Bool { lifecycle.phase == .fresh }

    /// What received bytes came to, beside the plaintext.
    package struct News {
        /// The handshake is done; at most once, before the first data.
        package var completed: TLSHandshakeCompleted?
        /// The peer's close_notify: it sends no more, and writing goes on being possible.
        package var closed = false
        /// The connection is useless: send the records there are (the alert) and close. At most once.
        package var error: TLSError?
    }
}

// MARK: what comes

extension TLSConnection {
    /// Takes what was received and appends its plaintext. `isWritable`: whether the socket takes what is sent.
    package func receive(_ ciphertext: UnsafeRawBufferPointer, into plaintext: inout ByteBuffer, isWritable: Bool) -> News {
        guard let first = unsafe ciphertext.first else { return News() }
        switch lifecycle.received(ciphertext.count, first: first) {
        case .ignore: return News()
        case .failure(let error): return failed(News(error: error))
        case .handshake, .data: break
        }
        guard let session = session ?? makeSession() else {
            return failed(News(error: .protocolViolation("out of memory")))
        }
        self.session = session
        var news = News()
        unsafe records.feed(ciphertext) {
            if isHandshaking { shakeHands(session, &news) }
            if lifecycle.phase == .established { readRecords(session, into: &plaintext, &news, isWritable: isWritable) }
        }
        return news.error == nil ? news : failed(news)
    }

    /// TCP's stream from the peer has ended.
    package func streamEnded() -> StreamEnd {
        let end = lifecycle.streamEnded()
        if case .failure = end { cut() }
        return end
    }

    /// What the end of the peer's TCP stream means.
    package enum StreamEnd: Equatable {
        /// Nothing new: the peer has said so by close_notify, or we are closing anyway.
        case expected
        /// Nobody has said anything: close.
        case unused
        /// Close: what came may not be all.
        case failure(TLSError)
    }

    private func makeSession() -> TLSSession? { context.flatMap { TLSSession(serving: $0.start, records: records) } }

    private func failed(_ news: News) -> News {
        cut()
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
        if records.inputLeft > 0 { plaintext.reserveCapacity(minimumWritableBytes: carried + records.inputLeft) }
        while records.inputLeft > 0 {
            let before = records.inputLeft
            let unasked = records.output.readableBytes
            switch session.read(into: &plaintext) {
            case .data:
                carried = 0
                lifecycle.dataRead()
            case .needsInput: carried += before
            case .nothing:
                carried = 0
                news.error = lifecycle.uselessRecordRead()
            case .closed:
                lifecycle.closeNotifyRead()
                news.closed = true
            case .failed(let error): news.error = error
            }
            if news.error == nil, records.output.readableBytes > unasked { news.error = lifecycle.answerMade(isWritable: isWritable) }
            if news.error != nil || news.closed { return }
        }
    }
}

// MARK: what goes

extension TLSConnection {
    /// Adds `data` to what waits, if both fit into one record; else what waits is encrypted first. Bulk data is never copied. Ignored
    /// before the handshake is done and after the end. The error, if OpenSSL can't.
    package func write(_ data: ByteBuffer) -> TLSError? {
        guard lifecycle.canWrite else { return nil }
        if staged.readableBytes == 0 {
            staged = data
        } else if staged.readableBytes + data.readableBytes <= recordSize {
            staged.writeImmutableBuffer(data)
        } else {
            if let error = flush() { return error }
            staged = data
        }
        return nil
    }

    /// Encrypts what was written. The error, if OpenSSL can't.
    package func flush() -> TLSError? {
        guard staged.readableBytes > 0, let session else { return nil }
        let plaintext = staged
        staged = ByteBuffer()
        let size = plaintext.readableBytes
        records.output.reserveCapacity(minimumWritableBytes: size + (size / recordSize + 1) * TLSLimits.recordOverhead)
        guard let error = unsafe plaintext.withUnsafeReadableBytes({ bytes in unsafe encrypt(bytes, session) }) else { return nil }
        cut()
        return error
    }

    /// Ends our side, and (`all`) the connection: makes records of what was written and the close_notify.
    package func close(all: Bool) {
        guard lifecycle.close(all: all) == .sayGoodbye else { return }
        guard flush() == nil else { return }
        session?.sendCloseNotify()
        if all { release() }
    }

    /// The connection is to be cut off: nothing more is encrypted, not even close_notify, so that the peer can tell that it has not
    /// had everything.
    package func cut() {
        lifecycle.end()
        release()
    }

    private func release() {
        session = nil
        staged = ByteBuffer()
    }

    /// Plaintext bytes of the next record at most.
    private var recordSize: Int { bytesEncrypted < TLSLimits.early ? TLSLimits.earlyRecord : TLSLimits.record }

    private func encrypt(_ plaintext: UnsafeRawBufferPointer, _ session: TLSSession) -> TLSError? {
        var rest = unsafe plaintext[...]
        while unsafe !rest.isEmpty {
            let record = unsafe rest.prefix(recordSize)
            if let error = unsafe session.write(UnsafeRawBufferPointer(rebasing: record)) { return error }
            unsafe bytesEncrypted = min(bytesEncrypted + record.count, TLSLimits.early)
            unsafe rest = rest[record.endIndex...]
        }
        return nil
    }
}
