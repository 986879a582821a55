package import NIOCore

extension TLSHandler {
    /// Stages `data`; small writes are put together until they fill a record.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard lifecycle.canWrite else {
            promise?.fail(lifecycle.outputClosed ? ChannelError.outputClosed : ChannelError.ioOnClosedChannel)
            return
        }
        stagedPromise.setOrCascade(to: promise)
        stage(context, unwrapOutboundIn(data))
    }

    /// Encrypts what is staged and sends all records in one write.
    package func flush(context: ChannelHandlerContext) {
        guard encryptStaged(context) else { return }
        if !sendOutput(context) { context.flush() }
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input else { return context.close(mode: mode, promise: promise) }
        switch lifecycle.close(all: mode == .all) {
        case .atOnce: context.close(mode: mode, promise: promise)
        case .sayGoodbye:
            guard encryptStaged(context) else { return context.close(mode: mode, promise: promise) }
            session?.sendCloseNotify()
            let sent = context.eventLoop.makePromise(of: Void.self)
            stagedPromise.setOrCascade(to: sent)
            sendOutput(context)
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: promise) }
        }
    }

    /// The connection is to be cut off: the next `close` sends neither what is staged nor close_notify, so that the peer can tell
    /// that it has not had everything.
    package func cut() {
        lifecycle.end()
        release()
    }

    /// Sends the records that there are in one write; false: there are none. The promise of what is staged goes along only if nothing
    /// of it stays behind.
    @discardableResult
    func sendOutput(_ context: ChannelHandlerContext) -> Bool {
        let promise = staged.readableBytes == 0 ? stagedPromise : nil
        guard let session, session.outputSize > 0 || promise != nil else { return false }
        if promise != nil { stagedPromise = nil }
        context.writeAndFlush(wrapOutboundOut(session.takeOutput()), promise: promise)
        return true
    }
}

// MARK: encrypting

extension TLSHandler {
    /// Adds `data` to what waits, if both fit into one record; else what waits is encrypted first. Bulk data is never copied.
    private func stage(_ context: ChannelHandlerContext, _ data: ByteBuffer) {
        if staged.readableBytes == 0 {
            staged = data
        } else if staged.readableBytes + data.readableBytes <= recordSize {
            staged.writeImmutableBuffer(data)
        } else {
            guard encryptStaged(context) else { return }
            staged = data
        }
    }

    /// Plaintext bytes of the next record at most.
    private var recordSize: Int { bytesEncrypted < TLSLimits.early ? TLSLimits.earlyRecord : TLSLimits.record }

    /// Makes records of what is staged. False: OpenSSL could not, and the connection has been failed.
    private func encryptStaged(_ context: ChannelHandlerContext) -> Bool {
        guard staged.readableBytes > 0, let session else { return true }
        let plaintext = staged
        staged = ByteBuffer()
        session.reserveOutput(plaintext: plaintext.readableBytes, pieces: plaintext.readableBytes / recordSize + 1)
        let error = unsafe plaintext.withUnsafeReadableBytes { bytes in unsafe encrypt(bytes, session) }
        guard let error else { return true }
        fail(context, error)
        return false
    }

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
