import CEpoll
import Glibc
import NIOCore
import TLS

/// A TCP connection on a loop: reads when there is something and somebody wants it, keeps what the kernel doesn't take.
///
/// What is written waits in one buffer until `flush`. Above `high` unsent bytes it is not writable, until they are fewer than `low`:
/// whoever produces bytes then stops reading where they come from. Loop-bound.
class StreamSocket: EventSource {
    /// Bytes that the kernel has not taken yet, or that wait for `flush`.
    private final var outgoing = ByteBuffer()
    /// Bytes that the kernel has taken.
    private final var sentBytes = 0
    /// The kernel takes no more for now.
    private final var isBlocked = false
    /// The peer takes nothing any more. Reading tells more.
    private(set) final var isBroken = false
    private(set) final var isWritable = true
    private final var isReadPaused = false
    /// The peer sends no more.
    private(set) final var isInputEnded = false
    private final var ending = Ending.none

    /// What is done when everything has been sent.
    private enum Ending { case none, output, done, connection }

    /// Unsent bytes above which it is not writable. Twice what is read at once: who takes a large answer in time has the kernel's buffer for
    /// that, and who doesn't holds no more than this.
    private static let high = 128 * 1024
    /// Unsent bytes below which it is writable again.
    private static let low = 32 * 1024
    /// Unsent bytes that nobody should ever come to: whoever produces them has not stopped.
    private static let bound = 16 * 1024 * 1024
    /// Bytes that are rather written than copied behind others.
    private static let worthAWrite = 16 * 1024

    init(_ descriptor: CInt, on loop: SocketLoop) {
        super.init(descriptor, on: loop, waitingFor: shim_EPOLLIN)
    }

    // MARK: for subclasses to answer

    /// There is something to `receive`.
    func readable() {}

    /// `isWritable` has changed.
    func writabilityChanged() {}

    /// The connection is broken, and nobody reads it now: what has come of it may still be read.
    func hungUp() { mute() }

    /// After `endOutput`: everything has gone to the kernel, and the end of our side too.
    func outputEnded() {}

    // MARK: reading

    enum Arrival {
        case bytes(Int)
        /// Nothing now.
        case none
        /// The peer sends no more.
        case end
        /// The connection is broken.
        case failure
    }

    /// Reads once into `memory`.
    final func receive(into memory: UnsafeMutableRawBufferPointer) -> Arrival {
        let count = unsafe read(descriptor, memory.baseAddress, memory.count)
        if count > 0 { return .bytes(count) }
        if count == 0 {
            isInputEnded = true
            updateInterest()
            return .end
        }
        return errno == EAGAIN || errno == EINTR ? .none : .failure
    }

    /// Whether the peer has sent nothing that has not been read, not even its end.
    final var isSilent: Bool {
        var byte: UInt8 = 0
        return unsafe recv(descriptor, &byte, 1, CInt(MSG_PEEK)) < 0 && errno == EAGAIN
    }

    /// Stops or resumes reading.
    final func setReading(_ on: Bool) {
        isReadPaused = !on
        // Pausing is told to epoll only when something comes: mostly reading has been resumed before that.
        if on && interest & shim_EPOLLIN == 0 && !isInputEnded { updateInterest() }
    }

    // MARK: writing

    /// Bytes written that the kernel has not taken.
    final var unsentBytes: Int { outgoing.readableBytes }

    /// Bytes that the peer has acknowledged since the connection stands. Asks the kernel.
    final var takenBytes: Int {
        guard isOpen else { return sentBytes }
        var held: CInt = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &held) == 0 ? sentBytes - Int(held) : sentBytes
    }

    /// Adds `bytes` to what the next `flush` sends.
    final func put(_ bytes: ByteBuffer) {
        if outgoing.readableBytes == 0 {
            outgoing = bytes
        } else {
            if bytes.readableBytes > Self.worthAWrite { flush() }
            if outgoing.readableBytes == 0 { outgoing = bytes } else { keep(bytes) }
            if isBlocked { settle() }
        }
    }

    /// Sends what was put.
    final func flush() {
        if !isBlocked, isOpen, outgoing.readableBytes > 0 {
            var bytes = takeOutgoing()
            transmit(&bytes)
            outgoing = bytes
        }
        settle()
    }

    private final func keep(_ bytes: ByteBuffer) {
        var all = takeOutgoing()
        // What has been sent is let go before the buffer grows.
        if all.readerIndex > all.readableBytes { all.discardReadBytes() }
        all.writeImmutableBuffer(bytes)
        outgoing = all
    }

    /// The unsent bytes, to be put back. Buffers are taken out of their objects before they are worked on: a call while a property is being
    /// changed makes Swift guard every access to it at run time.
    private final func takeOutgoing() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &outgoing)
        return taken
    }

    /// Sends `bytes` behind what was put, from where they are; what the kernel doesn't take is copied. Leaves `bytes` empty.
    final func send(_ bytes: inout ByteBuffer) {
        flush()
        guard isOpen else { return bytes.clear() }
        if outgoing.readableBytes == 0 && !isBlocked { transmit(&bytes) }
        if bytes.readableBytes > 0 { keep(bytes) }
        bytes.clear()
        settle()
    }

    /// Sends the records that TLS has made: after each call to a connection of its, before any other's turn.
    final func send(_ records: TLSRecords) {
        guard records.output.readableBytes > 0 else { return }
        var output = ByteBuffer()
        swap(&output, &records.output)
        send(&output)
        // Empty now; its memory is for the next records.
        swap(&output, &records.output)
    }

    /// Adds to what the next `flush(through:)` sends; as it is, where there is no TLS.
    final func write(_ bytes: ByteBuffer, through tls: TLSConnection?, _ records: TLSRecords) {
        guard let tls else { return put(bytes) }
        let error = tls.write(bytes)
        send(records)
        if error != nil { close() }
    }

    /// Sends what was written.
    final func flush(through tls: TLSConnection?, _ records: TLSRecords) {
        guard let tls else { return flush() }
        let error = tls.flush()
        send(records)
        if error != nil { close() }
    }

    /// Ends our side when everything is sent.
    final func endOutput() {
        guard ending == .none else { return }
        ending = .output
        flush()
    }

    /// Closes when everything is sent.
    final func closeWhenSent() {
        ending = .connection
        flush()
    }

    private final func transmit(_ bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0 {
            let count = unsafe bytes.withUnsafeReadableBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            if count >= 0 {
                sentBytes += count
                bytes.moveReaderIndex(forwardBy: count)
            } else if errno == EAGAIN {
                isBlocked = true
                return
            } else if errno != EINTR {
                isBroken = true
                bytes.clear()
                return
            }
        }
    }

    /// Draws the consequences of what is left.
    private final func settle() {
        guard isOpen else { return }
        let unsent = outgoing.readableBytes
        guard unsent <= Self.bound else { return close() }
        if unsent == 0 {
            if outgoing.capacity > 0 { outgoing = ByteBuffer() }
            switch ending {
            case .none, .done: break
            case .output:
                ending = .done
                _ = shutdown(descriptor, CInt(SHUT_WR))
                outputEnded()
                return
            case .connection: return close()
            }
        }
        if isBlocked != (interest & shim_EPOLLOUT != 0) { updateInterest() }
        if isWritable ? unsent > Self.high : unsent < Self.low {
            isWritable.toggle()
            writabilityChanged()
        }
    }

    // MARK: events

    final override func ready(_ events: UInt32) {
        if events & shim_EPOLLOUT != 0 {
            isBlocked = false
            flush()
        }
        guard isOpen, events & (shim_EPOLLIN | shim_EPOLLERR | shim_EPOLLHUP) != 0 else { return }
        if isInputEnded || isReadPaused {
            if events & (shim_EPOLLERR | shim_EPOLLHUP) == 0 { updateInterest() } else { hungUp() }
        } else {
            readable()
        }
    }

    private final func updateInterest() {
        var events: UInt32 = 0
        if !isReadPaused && !isInputEnded { events |= shim_EPOLLIN }
        if isBlocked { events |= shim_EPOLLOUT }
        wait(for: events)
    }
}
