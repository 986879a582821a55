import Dispatch
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Writes the access log on a thread of its own, so that a slow disk never holds up a loop.
///
/// Loops hand over whole blocks of lines. When the writer is more than `bound` bytes behind, blocks are dropped and counted, and the
/// next line that is written says how many lines are missing.
package final class LogWriter: Sendable {
    private let descriptor: Int32
    private let thread: NIOThreadPool
    private let behind = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let droppedInAll = Atomic<Int>(0)

    /// Bytes that may wait for the disk.
    private static let bound = 64 * 1024 * 1024

    /// Appends to the file at `path`, or to standard output where that is nil. Throws an errno's message.
    package init(path: String?) throws(LogFailure) {
        if let path {
            let opened = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
            guard opened >= 0 else { throw LogFailure(reason: SocketError.reason(errno)) }
            descriptor = opened
        } else {
            descriptor = STDOUT_FILENO
        }
        thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
    }

    /// Takes a block of complete lines. From any loop; never waits.
    func append(_ block: ByteBuffer, lines: Int) {
        let size = block.readableBytes
        guard behind.add(size, ordering: .relaxed).newValue <= Self.bound else {
            behind.subtract(size, ordering: .relaxed)
            dropped.add(lines, ordering: .relaxed)
            droppedInAll.add(lines, ordering: .relaxed)
            return
        }
        thread.submit { [self] _ in
            write(block)
            behind.subtract(size, ordering: .relaxed)
        }
    }

    /// Lines that were dropped since the start. From any thread.
    package var droppedLines: Int { droppedInAll.load(ordering: .relaxed) }

    /// Waits until everything handed over so far is written, then ends the thread.
    package func finish() {
        // The pool would not wait for what is queued; on its one thread this comes after all of it.
        let written = DispatchSemaphore(value: 0)
        thread.submit { _ in written.signal() }
        written.wait()
        try? thread.syncShutdownGracefully()
    }

    private func write(_ block: ByteBuffer) {
        let missing = dropped.exchange(0, ordering: .relaxed)
        if missing > 0 { writeWhole(ByteBuffer(string: "{\"event\":\"log_lines_dropped\",\"lines\":\(missing)}\n")) }
        writeWhole(block)
    }

    private func writeWhole(_ block: ByteBuffer) {
        var rest = block
        while rest.readableBytes > 0 {
            let written = unsafe rest.withUnsafeReadableBytes { unsafe Glibc.write(descriptor, $0.baseAddress!, $0.count) }
            if written > 0 {
                rest.moveReaderIndex(forwardBy: written)
            } else if errno == EAGAIN {
                awaitReader()
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Standard output may be a pipe that somebody has made non-blocking.
    private func awaitReader() {
        var output = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&output, 1, -1)
    }
}

/// Why the access log can't be opened.
package struct LogFailure: Error {
    package let reason: String
}
