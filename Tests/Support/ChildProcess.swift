package import Foundation

/// A real program started by a test: its output goes to files in the test's folder, and it ends with the test at the latest.
package final class ChildProcess: @unchecked Sendable {  // Foundation's Process is only touched by start, kill and wait
    private let process = Process()
    private let output: URL
    private let errors: URL

    /// Starts `program` at once. `name` tells its log files apart.
    package init(
        _ program: URL, _ arguments: [String], in folder: TemporaryFolder, name: String, environment: [String: String] = [:]
    ) throws {
        let run = "\(name)-\(UUID().uuidString.prefix(8))"
        output = folder.url.appending(path: "\(run).out")
        errors = folder.url.appending(path: "\(run).err")
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.create(output)
        process.standardError = try Self.create(errors)
        try process.run()
        EndOfRun.keep(process.processIdentifier)
    }

    deinit { kill() }

    package var isRunning: Bool { process.isRunning }
    package var identifier: Int32 { process.processIdentifier }
    package var outputText: String { Self.text(output) }
    package var errorText: String { Self.text(errors) }

    /// The first line of either stream that `find` makes something of; throws when the program ends or `seconds` pass before.
    package func waitForLine<Found>(seconds: Double = 30, _ find: (Substring) -> Found?) throws -> Found {
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            let isOver = !process.isRunning || Date() > deadline
            for text in [outputText, errorText] {
                for line in text.split(separator: "\n") { if let found = find(line) { return found } }
            }
            if isOver { throw ChildFailed(program: process.executableURL?.lastPathComponent ?? "", errors: errorText) }
            Thread.sleep(forTimeInterval: 0.002)
        } while true
    }

    /// What `find` makes of the error stream, as soon as it makes something of it; throws as `waitForLine` does.
    package func waitForErrors<Found>(seconds: Double = 30, _ find: (String) -> Found?) throws -> Found {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let isOver = !process.isRunning || Date() > deadline
            if let found = find(errorText) { return found }
            if isOver { throw ChildFailed(program: process.executableURL?.lastPathComponent ?? "", errors: errorText) }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    /// Resident memory in KiB (proc(5)).
    package var residentMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    /// CPU seconds used so far, of all threads (proc(5)).
    package var cpuSeconds: Double { Self.cpuSeconds("/proc/\(process.processIdentifier)/stat") }

    /// CPU seconds used so far by the threads whose names begin so.
    package func cpuSeconds(ofThreads name: String) -> Double {
        let folder = "/proc/\(process.processIdentifier)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let comm = (try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8)) ?? ""
            return comm.hasPrefix(name) ? sum + Self.cpuSeconds("\(folder)/\(thread)/stat") : sum
        }
    }

    private static func cpuSeconds(_ file: String) -> Double {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Its soft and hard limit of open files (proc(5)).
    package var descriptorLimits: [Int] {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/limits", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.split(separator: " ").compactMap { Int($0) } ?? []
    }

    /// Open descriptors.
    package var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count) ?? 0
    }

    /// SIGKILL, and waits until it is gone.
    package func kill() { end(SIGKILL) }

    /// SIGTERM, and waits until it is gone. Its exit status.
    @discardableResult
    package func terminate() -> Int32 {
        end(SIGTERM)
        return process.terminationStatus
    }

    /// Waits until it has ended by itself. Its exit status; nil where it goes on.
    package func waitForExit(seconds: Double) -> Int32? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.005) }
        return process.isRunning ? nil : process.terminationStatus
    }

    package func send(signal: Int32) { _ = Glibc.kill(process.processIdentifier, signal) }

    /// Stops it, and waits until it stands still: what comes meanwhile is at hand all at once when `resume` lets it go on.
    package func pause() {
        send(signal: SIGSTOP)
        let path = "/proc/\(process.processIdentifier)/stat"
        while let stat = try? String(contentsOfFile: path, encoding: .utf8), !stat.contains(") T ") { Thread.sleep(forTimeInterval: 0.001) }
    }

    package func resume() { send(signal: SIGCONT) }

    private func end(_ signal: Int32) {
        guard process.isRunning else { return }
        send(signal: signal)
        process.waitUntilExit()
        EndOfRun.forget(process.processIdentifier)
    }

    private static func create(_ file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }

    private static func text(_ file: URL) -> String {
        (try? String(decoding: Data(contentsOf: file), as: UTF8.self)) ?? ""
    }
}

/// A program did not get ready: what it had to say.
package struct ChildFailed: Error, CustomStringConvertible {
    package let program: String
    package let errors: String

    package init(program: String, errors: String) {
        self.program = program
        self.errors = errors
    }

    package var description: String { "\(program) did not get ready:\n\(errors)" }
}

extension ChildProcess {
    /// Runs a program to its end: exit status and both streams.
    package static func run(_ program: String, _ arguments: [String], in folder: TemporaryFolder) throws -> (
        status: Int32, output: String, errors: String
    ) {
        let child = try ChildProcess(
            URL(filePath: "/usr/bin/env"), [program] + arguments, in: folder, name: URL(filePath: program).lastPathComponent)
        child.process.waitUntilExit()
        return (child.process.terminationStatus, child.outputText, child.errorText)
    }
}
