package import Foundation
import Glibc

/// A folder of its own for one test, removed with everything in it when the last reference goes (unless `TENANTGATE_KEEP_FOLDERS` is
/// set, to look at logs).
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init(_ name: String = "tenantgate-test") throws {
        url = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        if !Self.staysForever { EndOfRun.keep(url) }
    }

    deinit {
        guard !Self.staysForever else { return }
        EndOfRun.forget(url)
        try? FileManager.default.removeItem(at: url)
    }

    private static let staysForever = ProcessInfo.processInfo.environment["TENANTGATE_KEEP_FOLDERS"] != nil

    package func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file, with the folders above it. Only the owner may read it, as the gateway wants of secrets.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        return file.path
    }

    /// Puts `name` in the place of `other` at once, as rename(2) does.
    package func rename(_ name: String, over other: String) throws {
        guard unsafe Glibc.rename(path(name), path(other)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// A symbolic link `name` that says `target`.
    package func link(_ name: String, to target: String) throws {
        guard unsafe symlink(target, path(name)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    package func read(_ name: String) -> String {
        (try? String(decoding: Data(contentsOf: url.appending(path: name)), as: UTF8.self)) ?? ""
    }
}
