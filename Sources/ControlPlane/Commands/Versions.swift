import HTTP2
import Suspensions
import Tokens

/// What `tenantgate --version` prints: this program and what it stands on.
package enum Versions {
    package static let tenantgate = "0.1.0"

    package static var text: String {
        """
        tenantgate \(tenantgate)
        \(LibraryVersions.openSSL)
        libjwt (\(file(of: "libjwt")))
        nghttp2 \(HTTP2Version.text)
        SQLite \(SQLiteVersion.text)
        """
    }

    /// The file name of a loaded shared library that doesn't tell its version itself.
    private static func file(of library: String) -> String {
        guard case .success(let maps) = FileBytes.read("/proc/self/maps", limit: 1 << 20) else { return "unknown" }
        let paths = String(decoding: maps, as: UTF8.self).split(separator: "\n").compactMap { $0.split(separator: "/").last }
        return paths.first { $0.hasPrefix(library) }.map(String.init) ?? "unknown"
    }
}
