import Foundation

/// One demo user service, running as a child that ends when this process does.
///
/// The child reads its standard input to the end and then exits, so that it goes even when this process is killed by SIGKILL.
final class DemoService {
    let port: Int
    private let process: Process
    private let lifeline: Pipe

    /// Starts it and waits until it listens.
    init(dialect: String, folder: DemoFolder) throws(CommandFailure) {
        let program = try Self.program()
        let (process, lifeline, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "--dialect", dialect, "--listen", "127.0.0.1:0", "--database", folder.file("\(dialect)-users.db"), "--end-with-input",
        ]
        process.standardInput = lifeline
        process.standardOutput = output
        do { try process.run() } catch { throw CommandFailure("\(program) can't be started: \(error.localizedDescription)") }
        (self.process, self.lifeline) = (process, lifeline)
        guard let port = Self.port(in: output) else { throw CommandFailure("\(program) ended before it listened; what it said is above.") }
        self.port = port
    }

    /// Ends it and waits until it is gone.
    func stop() {
        try? lifeline.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// `user-service` beside this program.
    private static func program() throws(CommandFailure) -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let path = own.deletingLastPathComponent().appending(path: "user-service").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CommandFailure("The demo needs the program \(path). Build it with `swift build`, or install it beside tenantgate.")
        }
        return path
    }

    /// From its one line, `user-service: jitsudo listening on 127.0.0.1:9101`; nil where it ends without.
    private static func port(in output: Pipe) -> Int? {
        var text = ""
        while !text.contains("\n") {
            let piece = output.fileHandleForReading.availableData
            guard !piece.isEmpty else { return nil }
            text += String(decoding: piece, as: UTF8.self)
        }
        return text.split(separator: "\n").first?.split(separator: ":").last.flatMap { Int($0) }
    }
}
