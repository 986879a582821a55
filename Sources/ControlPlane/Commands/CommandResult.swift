/// What a command came to: what it prints, and whether the answer is the good one.
package struct CommandResult: Sendable {
    /// For standard output.
    package var output: String
    /// For standard error.
    package var errors: String
    /// Exit code 0; otherwise 1.
    package var isGood: Bool

    package init(_ output: String = "", errors: String = "", isGood: Bool = true) {
        self.output = output
        self.errors = errors
        self.isGood = isGood
    }
}

/// Why a command couldn't do what it was asked, and what to do next.
package struct CommandFailure: Error, CustomStringConvertible {
    package let description: String
    /// Whether the command line itself is wrong: exit code 2; otherwise 1.
    package let isUsage: Bool
    /// The admin API's, where it was that which refused.
    var code: String?

    package init(_ description: String, isUsage: Bool = false) {
        self.description = description
        self.isUsage = isUsage
    }

    static func usage(_ description: String) -> CommandFailure { CommandFailure(description, isUsage: true) }
}

extension FileBytes {
    /// The same for a file that a command line names.
    static func read(_ path: String, limit: Int, called name: String) throws(CommandFailure) -> [UInt8] {
        switch read(path, limit: limit + 1) {
        case .success(let bytes) where bytes.count <= limit: return bytes
        case .success: throw CommandFailure("\(name) \(path) is larger than \(limit) bytes. Is it the right file?")
        case .failure(let error):
            throw CommandFailure("\(name) \(path) can't be read: \(error.reason). Check the path and its permissions.")
        }
    }
}
