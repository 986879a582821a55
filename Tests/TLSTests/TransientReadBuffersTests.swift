import NIOCore
import TLS
import Testing

@Suite("read buffers") struct TransientReadBuffersTests {
    /// Reads `sizes` bytes one after the other, as a channel does; the capacity of each buffer.
    private func capacities(_ pool: inout NIOPooledRecvBufferAllocator, _ sizes: [Int]) -> [Int] {
        sizes.map { size in
            let (buffer, _) = pool.buffer(allocator: ByteBufferAllocator()) { _ in }
            pool.record(actualReadBytes: min(size, buffer.capacity))
            return buffer.capacity
        }
    }

    @Test("they grow with an upload and shrink after it")
    func sizes() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: TransientReadBuffers())
        #expect(capacities(&pool, [300, 900, 9000, 99_000, 99_000, 99_000]) == [512, 2048, 2048, 8192, 32_768, 65_536])
        #expect(capacities(&pool, [900, 900, 900, 900, 900, 900, 900]) == [65_536, 32_768, 16_384, 8192, 4096, 2048, 2048])
    }

    @Test("a channel keeps only the first, small one")
    func retention() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: TransientReadBuffers())
        _ = capacities(&pool, [Int](repeating: 99_000, count: 10))
        pool.record(actualReadBytes: 99_000)
        var (buffer, _) = pool.buffer(allocator: ByteBufferAllocator()) { $0.writeInteger(UInt8(1)) }
        #expect(buffer.modifyIfUniquelyOwned { _ in true } == true)
    }

}
