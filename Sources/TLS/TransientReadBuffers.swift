package import NIOCore

/// Sizes of the buffers that a socket is read into: grows with what comes, and an idle connection keeps (almost) none of them.
///
/// A channel of NIO keeps the buffer of its first read for good, to read into it again, and lets it grow to 64 KiB with the first
/// upload. Told that each buffer may be larger than the last one, it keeps just the first and takes a new one for each later read, which
/// costs less than a tenth of the read. Works only with `maxMessagesPerRead` 1.
package struct TransientReadBuffers: RecvByteBufferAllocator {
    /// Bytes of the one buffer that stays: most ClientHellos fit.
    private static let first = 512
    private static let least = 2 * 1024
    /// Four full records.
    private static let most = 64 * 1024

    private var size = first

    package init() {}

    package func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    /// True: the next one may be larger.
    package mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= size {
            size = min(size * 4, Self.most)
        } else if actualReadBytes < size / 4 {
            size = size / 2
        }
        size = max(size, Self.least)
        return true
    }
}
