import Tokens

/// What a reading of the file depends on: every file that it names, with what was in it then, and the folders that it takes whole.
package struct InputFiles: Sendable, Equatable {
    /// SHA-256 of a file's content, or of a folder's names; nil where it couldn't be read.
    package typealias Content = [UInt8]?

    /// By path, as the process opens it.
    private(set) var files: [String: Content] = [:]
    private(set) var folders: [String: Content] = [:]
    /// The files that credentials depend on.
    private(set) var credentials: Set<String> = []

    /// The part of the file that names a file.
    enum Part: Sendable { case credentials, other }

    mutating func note(file path: String, _ part: Part) {
        if part == .credentials { credentials.insert(path) }
        if files[path] == nil { files[path] = .some(Self.content(ofFile: path)) }
    }

    mutating func note(folder path: String) {
        credentials.insert(path)
        folders[path] = .some(Self.content(ofFolder: path))
    }

    /// The same files and folders with what is in them at this moment. Reads them all; blocks.
    var now: InputFiles {
        var now = self
        for path in files.keys { now.files[path] = .some(Self.content(ofFile: path)) }
        for path in folders.keys { now.folders[path] = .some(Self.content(ofFolder: path)) }
        return now
    }

    /// The paths at which another reading found something else, in order.
    func changes(to other: InputFiles) -> [String] {
        let (old, new) = (files.merging(folders) { first, _ in first }, other.files.merging(other.folders) { first, _ in first })
        return Set(old.keys).union(new.keys).filter { path in
            guard let before = old[path], let after = new[path] else { return false }
            return before != after
        }.sorted()
    }

    /// What credentials depend on, with its content.
    var credentialContents: [String: Content] {
        files.merging(folders) { first, _ in first }.filter { credentials.contains($0.key) }
    }

    private static func content(ofFile path: String) -> Content {
        guard case .success(let bytes) = FileBytes.readRegular(path, limit: YAMLDocument.bytes + 1) else { return nil }
        return Digest.sha256(bytes.span)
    }

    private static func content(ofFolder path: String) -> Content {
        guard case .success(let names) = FolderNames.read(path) else { return nil }
        return Digest.sha256(Array(names.joined(separator: "/").utf8).span)
    }
}

/// Collects the inputs of one reading.
final class InputRecord {
    private(set) var files = InputFiles()
    private var part = InputFiles.Part.other

    func note(file path: String) { files.note(file: path, part) }
    func note(folder path: String) { files.note(folder: path) }

    /// What `body` names belongs to `part`.
    func of<Result>(_ part: InputFiles.Part, _ body: () -> Result) -> Result {
        let before = self.part
        self.part = part
        defer { self.part = before }
        return body()
    }
}
