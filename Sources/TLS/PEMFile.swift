import Glibc

/// A small file read whole.
enum PEMFile {
    /// Bytes; the longest sensible chain has a tenth of it.
    static let bound = 1024 * 1024

    static func read(_ path: String) throws(TLSConfigurationError.FileProblem) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw errno == ENOENT ? .missing : .unreadable(reason()) }
        defer { close(file) }
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

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
