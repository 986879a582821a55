import Glibc
import Policy

// Patterns, pointers, claim paths and files.

extension Kind where Value == PathPattern {
    static var pattern: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^/"))])
        return Kind(name: "path pattern", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else {
                return reading.refuse(node, expected: "a path pattern", fix: "quote paths with braces: `\"/v1/users/{user}\"`")
            }
            do {
                return try PathPattern(text)
            } catch {
                reading.problems.error(place, "`\(text)` is not a path pattern", fix: "\(error)")
                return nil
            }
        }
    }
}

extension Kind where Value == JSONPointer {
    /// RFC 6901; not the whole document.
    static var pointer: Kind {
        .scalar(
            "JSON Pointer", schema: .object([("type", .string("string")), ("pattern", .string("^(/([^~/]|~[01])*)+$"))]),
            example: "/data/id"
        ) { text in
            text.isEmpty ? nil : JSONPointer(text)
        }
    }
}

extension Kind where Value == [String] {
    /// A path of object steps: `[sub]`, `["https://example.com/tenant"]`, `[org, id]`.
    static var claimPath: Kind {
        let steps: Kind<[String]> = .list(of: .text("claim name", bytes: 256), 1...8)
        return Kind(name: "claim path", bound: "1…8 steps", schema: steps.schema, forms: [.list]) { node, reading in
            if case .scalar(let text, _, _) = node, !text.isEmpty {
                let path = text.contains(".") && !text.contains("/") ? text.split(separator: ".").joined(separator: ", ") : text
                return reading.refuse(node, expected: "a claim path (a list of steps)", fix: "write `[\(path)]`")
            }
            return steps.read(node, reading)
        }
    }
}

/// A file that exists and can be read.
struct ReadableFile: Sendable {
    /// As the process can open it.
    let path: String
    /// Where the file names it.
    let place: Place
}

extension Kind where Value == ReadableFile {
    /// A path of an existing, readable, regular file, relative to the file that names it.
    static var file: Kind { path(isSecret: false) }

    /// The same with a warning where others than its owner and group can read it.
    static var secretFile: Kind { path(isSecret: true) }

    private static func path(isSecret: Bool) -> Kind {
        let text = Kind<String>.text("path", bytes: 4096)
        return Kind(name: "path", schema: text.schema, forms: [.scalar]) { node, reading in
            guard let written = text.read(node, reading) else { return nil }
            let path = reading.resolve(written)
            reading.problems.inputs.note(file: path)
            var status = stat()
            guard unsafe stat(path, &status) == 0 else {
                let reason = errno == ENOENT ? "does not exist" : "can't be read (\(errorText(errno)))"
                reading.problems.error(
                    node.place, "the file \(path) \(reason)", fix: "correct the path: it is relative to the file that names it")
                return nil
            }
            guard status.st_mode & S_IFMT == S_IFREG else {
                reading.problems.error(node.place, "\(path) is not a file", fix: "name the file itself")
                return nil
            }
            guard unsafe access(path, R_OK) == 0 else {
                reading.problems.error(
                    node.place, "the file \(path) can't be read (\(errorText(errno)))", fix: "let the user that runs the gateway read it")
                return nil
            }
            if isSecret, status.st_mode & 0o007 != 0 {
                reading.problems.warning(
                    node.place, "the secret \(path) can be read by every user of this machine", fix: "chmod o-rwx \(path)")
            }
            return ReadableFile(path: path, place: node.place)
        }
    }
}

/// The system's words for an error number.
func errorText(_ number: Int32) -> String {
    unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
}
