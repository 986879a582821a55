import Glibc

/// Reads a file whole.
enum FileBytes {
    /// Nil after reporting why not. Reads at most one byte more than a file of the gateway may have.
    static func read(_ path: String, problems: ProblemList) -> [UInt8]? {
        let start = Place(file: path, line: 1, column: 1)
        switch readRegular(path, limit: YAMLDocument.bytes + 1) {
        case .success(let bytes): return bytes
        case .failure(let error):
            problems.error(
                start, "the file can't be read (\(error.reason))", fix: "correct the path, or let the user that runs the gateway read it")
            return nil
        }
    }

    /// At most `limit` bytes of a file that the gateway names: a pipe in its place could keep it waiting for ever.
    static func readRegular(_ path: String, limit: Int) -> Result<[UInt8], FileError> {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return .failure(FileError(reason: errorText(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .failure(FileError(reason: status.st_mode & S_IFMT == S_IFDIR ? errorText(EISDIR) : "not a regular file"))
        }
        return read(descriptor, limit: limit)
    }

    /// At most `limit` bytes of what a person names, which may be a pipe.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], FileError> {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(FileError(reason: errorText(errno))) }
        defer { close(descriptor) }
        return read(descriptor, limit: limit)
    }

    private static func read(_ descriptor: CInt, limit: Int) -> Result<[UInt8], FileError> {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < limit {
            let wanted = min(block.count, limit - bytes.count)
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress!, wanted) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(FileError(reason: errorText(errno))) }
            if count == 0 { break }
            bytes.append(contentsOf: block[..<count])
        }
        return .success(bytes)
    }
}

/// Why a file can't be read, in the system's words.
struct FileError: Error {
    let reason: String
}
