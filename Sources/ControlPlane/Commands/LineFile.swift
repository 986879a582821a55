import Foundation
import Policy

/// A file of lines, read in blocks as often as it is asked: an import may have millions.
struct LineFile {
    private let path: String

    /// Bytes of one read.
    private static let block = 1 << 20
    /// Bytes after which a line without an end is given out as it is: whoever reads it finds it too long.
    private static let longest = 4 * Limits.importLine

    init(_ path: String) { self.path = path }

    /// Throws where it can't be read, before anything is begun.
    func check() throws(CommandFailure) {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw CommandFailure("The file \(path) can't be read. Check the path and its permissions.")
        }
    }

    /// Starts from the beginning. Each call of what it returns gives a line without its newline, nil after the last; a last line that is
    /// empty is none.
    func open() throws -> () throws -> [UInt8]? {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        var bytes: [UInt8] = []
        var start = 0
        return {
            var searched = start
            while true {
                if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                    defer { start = end + 1 }
                    return Array(bytes[start..<end])
                }
                searched = bytes.count - start
                bytes.removeFirst(start)
                start = 0
                let more = searched <= Self.longest ? try file.read(upToCount: Self.block) ?? Data() : Data()
                guard !more.isEmpty else {
                    defer { bytes = [] }
                    return bytes.isEmpty ? nil : bytes
                }
                bytes += more
            }
        }
    }
}
