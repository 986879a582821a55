/// Where a TLS connection stands: takes events, answers with what to do, does nothing itself.
///
///     fresh ──▶ handshaking ──▶ established ──▶ ended
///       └───────────┴───────────────┴── failure ──▶
struct TLSLifecycle {
    enum Phase: Equatable {
        /// Nothing has been received.
        case fresh
        /// Bytes received so far.
        case handshaking(Int)
        case established
        /// Failed, cut off or closed: nothing is read or written any more.
        case ended
    }

    private(set) var phase = Phase.fresh
    /// The peer has sent close_notify.
    private(set) var inputClosed = false
    /// We have sent close_notify.
    private(set) var outputClosed = false
    private var version = TLSVersion.v1_3
    private var uselessRecords = 0
    private var pendingAnswers = 0

    var canWrite: Bool { phase == .established && !outputClosed }
}

// MARK: what comes

extension TLSLifecycle {
    enum Arrival: Equatable {
        case handshake, data, ignore
        case failure(TLSError)
    }

    /// A client sends the first message.
    mutating func begin() { phase = .handshaking(0) }

    /// `count` bytes (at least one) have been received, beginning with `first`.
    mutating func received(_ count: Int, first: UInt8) -> Arrival {
        switch phase {
        case .fresh:
            // A record begins with its type, 20 to 24; a method of HTTP with a capital letter.
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) { return .failure(.plainHTTP) }
            phase = .handshaking(count)
            return .handshake
        case .handshaking(let before):
            if before > TLSLimits.handshake { return .failure(.handshakeTooLarge) }
            phase = .handshaking(before + count)
            return .handshake
        case .established: return inputClosed ? .ignore : .data
        case .ended: return .ignore
        }
    }

    mutating func handshakeDone(_ version: TLSVersion) {
        phase = .established
        self.version = version
    }

    mutating func dataRead() { uselessRecords = 0 }

    /// A record without data was read.
    mutating func uselessRecordRead() -> TLSError? {
        uselessRecords += 1
        return uselessRecords > TLSLimits.uselessRecords ? .uselessRecords : nil
    }

    /// OpenSSL has made an answer by itself while reading: in TLS 1.2 the refusal of a renegotiation, in 1.3 a KeyUpdate that was asked
    /// for. A peer that asks for more and more and takes none (`isWritable` is false) would fill our memory.
    mutating func answerMade(isWritable: Bool) -> TLSError? {
        if version == .v1_2 { return .renegotiation }
        pendingAnswers = isWritable ? 0 : pendingAnswers + 1
        return pendingAnswers > TLSLimits.uselessRecords ? .uselessRecords : nil
    }

    mutating func closeNotifyRead() { inputClosed = true }

    /// TCP's stream from the peer has ended.
    func streamEnded() -> TLSConnection.StreamEnd {
        switch phase {
        case .fresh: .unused
        case .handshaking: .failure(.handshakeInterrupted)
        case .established: inputClosed ? .expected : .failure(.truncated)
        case .ended: .expected
        }
    }
}

// MARK: what goes

extension TLSLifecycle {
    enum Closing: Equatable {
        /// Send what is staged and close_notify, then close TCP.
        case sayGoodbye
        /// Close TCP at once.
        case atOnce
    }

    /// The output, or (`all`) the connection is to be closed.
    mutating func close(all: Bool) -> Closing {
        let goodbye = canWrite
        outputClosed = true
        if all { phase = .ended }
        return goodbye ? .sayGoodbye : .atOnce
    }

    /// The connection is useless from now on.
    mutating func end() { phase = .ended }
}
