import Foundation

/// The demo's folder: made for this run, removed with everything in it at the end.
struct DemoFolder {
    let path: String

    init() throws(CommandFailure) {
        var template = FileManager.default.temporaryDirectory.appending(path: "tenantgate-demo-XXXXXX").path.utf8CString.map { $0 }
        guard let made = unsafe mkdtemp(&template) else {
            throw CommandFailure(
                "No folder can be made for the demo: \(unsafe String(cString: strerror(errno))). Set TMPDIR to one that you may write to.")
        }
        path = unsafe String(cString: made)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Only this user can read it: secrets and tokens are among them.
    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws(CommandFailure) -> String {
        let url = URL(fileURLWithPath: file(name))
        do {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
        } catch {
            throw CommandFailure("\(url.path) can't be written: \(error.localizedDescription)")
        }
        return url.path
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
