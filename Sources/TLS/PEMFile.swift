import COpenSSL
import Glibc

/// A small file read whole.
enum PEMFile {
    /// Bytes; the longest sensible chain has a tenth of it.
    static let bound = 1024 * 1024

    static func read(_ path: String) throws(TLSConfigurationError.FileProblem) -> [UInt8] {
        // A pipe without a writer must not be waited for.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else { throw errno == ENOENT ? .missing : .unreadable(reason()) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(status.st_mode & S_IFMT == S_IFDIR ? unsafe String(cString: strerror(EISDIR)) : "not a regular file")
        }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe Glibc.read(file, &block, block.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unreadable(reason()) }
            bytes.append(contentsOf: block[..<count])
            guard bytes.count <= bound else { throw .tooLarge }
        }
    }

    /// Gives `body` a BIO that reads `bytes` where they are. Nil where memory is short.
    ///
    /// libcrypto keeps the pointer, which the optimiser doesn't see: outside of this the bytes could be freed before they are read.
    static func withBIO<Result>(over bytes: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { buffer in
            let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, CInt(buffer.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
