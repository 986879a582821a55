import Glibc
import Policy

/// `credentials_dir`: a folder of YAML files, each one entry as in `credentials` or a list of them.
///
/// Made for thousands of issuers, one per tenant, that come and go without the main file being touched. Whoever may write one of these
/// files must not be able to vouch for everybody, so each entry lists its `tenants`.
enum CredentialsFolder {
    /// The entries of all files, in the order of the files' names. Paths in a file start at the folder.
    static func read(_ folder: ReadableFolder, _ problems: ProblemList) -> [Section] {
        var entries: [Section] = []
        for name in folder.names {
            let path = "\(folder.path)/\(name)"
            problems.inputs.note(file: path)
            guard let bytes = FileBytes.read(path, problems: problems),
                let root = YAMLDocument.read(bytes, file: path, problems: problems)
            else { continue }
            entries += read(root, Reading(problems: problems, folder: folder.path))
        }
        if entries.count > Limits.credentialBlocks {
            problems.error(folder.place, "there are \(entries.count) entries", fix: "at most \(Limits.credentialBlocks) are taken")
        }
        for entry in entries where !entry.has(CredentialSection.tenants) {
            problems.error(
                entry.place, "`tenants` is missing here: an entry of `credentials_dir` vouches only for tenants that it lists",
                fix: "add `tenants: […]`, or move the entry to `credentials`")
        }
        return entries
    }

    private static func read(_ root: YAMLNode, _ reading: Reading) -> [Section] {
        let entry = Kind.section(CredentialSection.shape)
        switch root {
        case .map: return entry.read(root, reading).map { [$0] } ?? []
        case .list(let nodes, _): return nodes.compactMap { entry.read($0, reading) }
        case .scalar, .invalid: return reading.refuse(root, expected: "an entry of credentials, or a list of them") ?? []
        }
    }
}

/// A folder that exists and can be read.
struct ReadableFolder: Sendable {
    /// As the process can open it.
    let path: String
    /// Its YAML files.
    let names: [String]
    /// Where the file names it.
    let place: Place
}

extension Kind where Value == ReadableFolder {
    /// A path of an existing, readable folder, relative to the file that names it.
    static var folder: Kind {
        Kind<String>.text("path", bytes: 4096).convert { written, node, reading in
            let path = reading.resolve(written)
            reading.problems.inputs.note(folder: path)
            switch FolderNames.read(path) {
            case .success(let names): return ReadableFolder(path: path, names: names, place: node.place)
            case .failure(let error):
                reading.problems.error(
                    node.place, "the folder \(path) can't be read (\(error.reason))",
                    fix: "correct the path: it is relative to the file that names it")
                return nil
            }
        }
    }
}
