import Glibc

/// The YAML files of a folder.
enum FolderNames {
    /// Names that end in `.yaml` or `.yml` and don't begin with a dot, in the order of their bytes.
    static func read(_ path: String) -> Result<[String], FileError> {
        guard let folder = unsafe opendir(path) else { return .failure(FileError(reason: errorText(errno))) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if isTaken(name) { names.append(name) }
        }
        return .success(names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    /// Whether a file of this name counts.
    static func isTaken(_ name: String) -> Bool { !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml")) }
}
