import COpenSSL
package import NIOCore

/// Where OpenSSL meets an event loop's memory: it reads records from where they were received and appends those that it makes to one
/// buffer, which is written to the socket as it is.
///
/// One for all connections of a loop, since only one of them is at work at a time: whoever calls a connection sends, and so empties,
/// `output` before the next is called.
@safe package final class TLSRecords {
    /// Received bytes that OpenSSL has not taken yet. Valid only within `feed`.
    private var input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// OpenSSL asked for more than there is since `starved` was last set to false.
    var starved = false
    /// Records to send.
    package var output = ByteBuffer()

    package init() {}

    /// Bytes that OpenSSL has not taken yet.
    var inputLeft: Int { unsafe input.count }

    /// Runs `body` with `bytes` as what OpenSSL can read; what `body` leaves is lost.
    func feed<Result>(_ bytes: UnsafeRawBufferPointer, _ body: () -> Result) -> Result {
        unsafe input = bytes
        defer { unsafe input = UnsafeRawBufferPointer(start: nil, count: 0) }
        return body()
    }

    /// A new BIO over this object, which must outlive it.
    func makeBIO() -> OpaquePointer? {
        guard let bio = unsafe BIO_new(Self.method) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }
}

extension TLSRecords {
    /// libssl asks nothing of a BIO but to read, to write and (a no-op here) to flush.
    // Never freed and never changed once made.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteBuffer") else { return nil }
        unsafe BIO_meth_set_read_ex(method) { bio, bytes, count, taken in
            unsafe TLSRecords.behind(bio).read(bio, bytes, count, taken)
        }
        unsafe BIO_meth_set_write_ex(method) { bio, bytes, count, written in
            unsafe TLSRecords.behind(bio).write(bytes, count, written)
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return unsafe method
    }()

    private static func behind(_ bio: OpaquePointer?) -> TLSRecords {
        unsafe Unmanaged<TLSRecords>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
    }

    private func read(
        _ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ taken: UnsafeMutablePointer<Int>?
    ) -> CInt {
        unsafe shim_BIO_clear_retry_flags(bio)
        let available = unsafe min(count, input.count)
        guard available > 0, let source = unsafe input.baseAddress, let bytes = unsafe bytes else {
            starved = true
            unsafe shim_BIO_set_retry_read(bio)
            return 0
        }
        unsafe UnsafeMutableRawPointer(bytes).copyMemory(from: source, byteCount: available)
        unsafe input = UnsafeRawBufferPointer(rebasing: input[available...])
        unsafe taken?.pointee = available
        return 1
    }

    private func write(_ bytes: UnsafePointer<CChar>?, _ count: Int, _ written: UnsafeMutablePointer<Int>?) -> CInt {
        unsafe output.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
        unsafe written?.pointee = count
        return 1
    }
}
