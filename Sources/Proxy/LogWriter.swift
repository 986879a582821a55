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
///
/// A file is opened anew on `reopen`, and once a second at most where its path leads to another file or to none: what was handed over
/// before is in the old one, what comes after it in the new one, and nothing is lost.
package final class LogWriter: Sendable {
    /// Nil for standard output.
    private let path: String?
    /// Changed on the writer's thread alone.
    private let descriptor: Atomic<Int32>
    /// When the path was last looked at, monotonic seconds; the writer's thread's.
    private let looked = Atomic<Int>(0)
    private let thread: NIOThreadPool
    private let behind = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let droppedInAll = Atomic<Int>(0)
    /// A line was written in part; the writer's thread's.
    private let isTorn = Atomic<Bool>(false)

    /// Bytes that may wait for the disk.
    private static let bound = 64 * 1024 * 1024

    /// Seconds that the end waits for lines to be taken: a reader of the log that has stopped must not keep the process.
    private static let patience = 2

    /// Appends to the file at `path`, or to standard output where that is nil. Throws an errno's message.
    package init(path: String?) throws(LogFailure) {
        self.path = path
        descriptor = Atomic(try path.map { path throws(LogFailure) in try Self.open(path) } ?? STDOUT_FILENO)
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

    /// Lines that were dropped or could not be written since the start. From any thread.
    package var droppedLines: Int { droppedInAll.load(ordering: .relaxed) }

    /// Opens the file anew after everything handed over so far is written, so that it may have been renamed. `done` gets why not, if it
    /// can't be: then the old one is written on. On the writer's thread; not at all where the log is no regular file.
    package func reopen(_ done: @escaping @Sendable (LogFailure?) -> Void) {
        guard let path else { return }
        thread.submit { [self] _ in
            guard FileIdentity(descriptor.load(ordering: .relaxed)) != nil else { return }
            do throws(LogFailure) {
                try replace(path)
                done(nil)
            } catch {
                done(error)
            }
        }
    }

    /// Waits until everything handed over so far is written, then ends the thread. False where that takes too long: lines are lost.
    package func finish() -> Bool {
        // The pool would not wait for what is queued; on its one thread this comes after all of it.
        let written = DispatchSemaphore(value: 0)
        thread.submit { _ in written.signal() }
        guard written.wait(timeout: .now() + .seconds(Self.patience)) == .success else { return false }
        try? thread.syncShutdownGracefully()
        return true
    }

    // MARK: on the writer's thread

    private static func open(_ path: String) throws(LogFailure) -> Int32 {
        // A pipe without a reader is an error, not one to wait for.
        let opened = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        guard opened >= 0 else { throw LogFailure(reason: SocketError.reason(errno)) }
        return opened
    }

    private func replace(_ path: String) throws(LogFailure) {
        let opened = try Self.open(path)
        _ = close(descriptor.exchange(opened, ordering: .relaxed))
    }

    /// Follows the path where somebody has put the file elsewhere and said nothing.
    private func follow() {
        let now = Int(NIODeadline.now().uptimeNanoseconds / 1_000_000_000)
        guard let path, looked.exchange(now, ordering: .relaxed) != now,
            let written = FileIdentity(descriptor.load(ordering: .relaxed)), FileIdentity(path) != written
        else { return }
        try? replace(path)
    }

    private func write(_ block: ByteBuffer) {
        follow()
        let missing = dropped.exchange(0, ordering: .relaxed)
        if missing > 0, writeWhole(ByteBuffer(string: "{\"event\":\"log_lines_dropped\",\"lines\":\(missing)}\n")) != nil {
            dropped.add(missing, ordering: .relaxed)
        }
        guard let rest = writeWhole(block) else { return }
        let lines = rest.readableBytesView.count { $0 == UInt8(ascii: "\n") }
        dropped.add(lines, ordering: .relaxed)
        droppedInAll.add(lines, ordering: .relaxed)
    }

    /// What a full disk or a reader that has gone doesn't take; nil where all was taken.
    private func writeWhole(_ block: ByteBuffer) -> ByteBuffer? {
        let file = descriptor.load(ordering: .relaxed)
        var rest = block
        // What stands there of a line that was cut must not spoil the next one.
        if isTorn.load(ordering: .relaxed) { rest = ByteBuffer(string: "\n" + String(buffer: block)) }
        while rest.readableBytes > 0 {
            let written = unsafe rest.withUnsafeReadableBytes { unsafe Glibc.write(file, $0.baseAddress!, $0.count) }
            if written > 0 {
                rest.moveReaderIndex(forwardBy: written)
            } else if errno == EAGAIN {
                awaitReader(file)
            } else if errno != EINTR {
                noteTear(rest, of: block)
                return rest
            }
        }
        isTorn.store(false, ordering: .relaxed)
        return nil
    }

    private func noteTear(_ rest: ByteBuffer, of block: ByteBuffer) {
        let taken = block.readableBytes - rest.readableBytes
        guard taken > 0 else { return }
        // The last byte that was taken may have been a line's end.
        isTorn.store(block.readableBytesView[block.readerIndex + taken - 1] != UInt8(ascii: "\n"), ordering: .relaxed)
    }

    /// Standard output may be a pipe that somebody has made non-blocking.
    private func awaitReader(_ file: Int32) {
        var output = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&output, 1, -1)
    }
}

/// Which regular file it is, whatever it is called.
private struct FileIdentity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    init?(_ descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    private init?(_ status: stat) {
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        (device, inode) = (status.st_dev, status.st_ino)
    }
}

/// Why the access log can't be opened.
package struct LogFailure: Error {
    package let reason: String
}
