import Glibc

/// Which folders to watch, and for which names in them, so that no change of a file goes unnoticed.
///
/// A file may be replaced by writing it, by renaming another over it, or by turning a symbolic link anywhere on the way to it (Kubernetes
/// turns `..data` in the volume's folder): so each folder on the way that holds a link, and the folder that holds the file itself.
struct WatchedPlaces: Equatable {
    /// Folders without links in their paths, each with the names that count there; nil for all that a folder of YAML files takes.
    private(set) var names: [String: Set<String>] = [:]
    /// The folders in which every YAML file counts.
    private(set) var whole: Set<String> = []

    /// Links followed on the way to one file, as the kernel does (path_resolution(7)).
    private static let links = 40

    init() {}

    init(_ inputs: InputFiles) {
        for path in inputs.files.keys { add(path) }
        for path in inputs.folders.keys {
            if let folder = add(path) { whole.insert(folder) }
        }
    }

    /// Whether a change of `name` in `folder` may be one of a file.
    func counts(_ name: String, in folder: String) -> Bool {
        names[folder]?.contains(name) == true || whole.contains(folder) && FolderNames.isTaken(name)
    }

    var folders: Set<String> { Set(names.keys).union(whole) }

    mutating func merge(_ other: WatchedPlaces) {
        names.merge(other.names) { $0.union($1) }
        whole.formUnion(other.whole)
    }

    /// Follows `path` to its end, or as far as it exists. The place where it ends.
    @discardableResult
    private mutating func add(_ path: String) -> String? {
        var rest = Self.steps(Self.absolute(path))
        var place = "/"
        var left = Self.links
        while let step = rest.popLast() {
            if step == ".." {
                place = Self.parent(of: place)
                continue
            }
            let next = place == "/" ? "/\(step)" : "\(place)/\(step)"
            switch Self.look(at: next) {
            case .link(let target):
                names[place, default: []].insert(step)
                guard left > 0 else { return nil }
                left -= 1
                if target.hasPrefix("/") { place = "/" }
                rest += Self.steps(target)
            case .missing:
                names[place, default: []].insert(step)
                return nil
            case .other:
                if rest.isEmpty { names[place, default: []].insert(step) }
                place = next
            }
        }
        return place
    }

    private enum Sight { case link(String), missing, other }

    private static func look(at path: String) -> Sight {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return .missing }
        guard status.st_mode & S_IFMT == S_IFLNK else { return .other }
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe target.withUnsafeMutableBytes {
            unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count > 0 ? .link(String(decoding: target[..<count], as: UTF8.self)) : .missing
    }

    /// The steps of a path, the last first.
    private static func steps(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
    }

    private static func parent(of path: String) -> String {
        let folder = Reading.folder(of: path)
        return folder.isEmpty ? "/" : folder
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let current = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(current) }
        return unsafe "\(String(cString: current))/\(path)"
    }
}
