package import Foundation

/// Where the programs under test and the repository's files are.
package enum BuildProducts {
    /// A program that was built beside the running test bundle; `TENANTGATE_PRODUCTS` names another folder.
    package static func program(_ name: String) throws -> URL {
        let program = folder.appending(path: name)
        guard FileManager.default.isExecutableFile(atPath: program.path) else { throw MissingProgram(path: program.path) }
        return program
    }

    /// The top of the repository: two folders above this file's.
    package static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let folder: URL =
        if let named = ProcessInfo.processInfo.environment["TENANTGATE_PRODUCTS"] {
            URL(filePath: named)
        } else {
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        }
}

/// A program that a test needs was not built.
package struct MissingProgram: Error, CustomStringConvertible {
    package let path: String
    package var description: String { "\(path) is missing: run `swift build` first." }
}
