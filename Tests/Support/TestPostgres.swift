import Foundation
import Glibc

/// A PostgreSQL server of a test's own, in a temporary folder and on a free port; the programs of the newest version installed.
package final class TestPostgres: @unchecked Sendable {  // One test's thread starts and stops it.
    package let port: Int
    private let folder: TemporaryFolder
    private let certificate: TestCertificate?
    private var process: ChildProcess?

    /// Nil where it isn't installed: the reason for skipping a test.
    package static let programs: String? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.compactMap { Int($0) }.max().map { "/usr/lib/postgresql/\($0)/bin" }
    }()
    package static let missing = "PostgreSQL isn't installed here: config/setup --test installs it"

    /// - Parameters:
    ///   - certificate: it speaks TLS with this one, and with nobody without.
    ///   - runs: false for one that is made out of a copy of another later.
    package init(certificate: TestCertificate? = nil, runs: Bool = true) throws {
        folder = try TemporaryFolder("tenantgate-postgres")
        port = try Self.freePort()
        self.certificate = certificate
        // It refuses to run as root.
        if getuid() == 0 { _ = try ChildProcess.run("chown", ["postgres", folder.url.path], in: folder) }
        guard runs else { return }
        let made = try run("initdb", ["-D", data, "-U", "postgres", "--auth", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"])
        guard made.status == 0 else { throw ChildFailed(program: "initdb", errors: made.errors) }
        if let certificate { try speakTLS(certificate) }
        try start()
    }

    /// Takes over with a copy that was made of another one, and starts.
    package func takeOver(from other: TestPostgres, copy name: String) throws {
        _ = try ChildProcess.run("cp", ["-a", other.folder.path(name), data], in: folder)
        try start()
    }

    private func speakTLS(_ certificate: TestCertificate) throws {
        try folder.write(certificate.chain, to: "data/server.crt")
        try folder.write(certificate.key, to: "data/server.key")
        try folder.write("hostssl all all 127.0.0.1/32 trust\n", to: "data/pg_hba.conf")
        for file in ["data/server.crt", "data/server.key", "data/pg_hba.conf"] {
            _ = try ChildProcess.run("chmod", ["600", folder.path(file)], in: folder)
            if getuid() == 0 { _ = try ChildProcess.run("chown", ["postgres", folder.path(file)], in: folder) }
        }
    }

    deinit { process?.kill() }

    /// By its address; `sslmode` and other options may follow.
    package var uri: String { "postgresql://postgres@127.0.0.1:\(port)/postgres" }
    private var data: String { folder.path("data") }

    /// Starts it and waits until it takes connections.
    package func start() throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while true {
            let (program, arguments) = Self.asItself(
                "postgres",
                ["-D", data, "-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-k", folder.url.path]
                    + (certificate == nil ? [] : ["-c", "ssl=on"]))
            let process = try ChildProcess(URL(filePath: program), arguments, in: folder, name: "postgres")
            self.process = process
            while process.isRunning, Date() < deadline {
                if (try? ask("SELECT 1")) == "1" { return }
                Thread.sleep(forTimeInterval: 0.01)
            }
            // After a SIGKILL its children take a moment to go, and it doesn't start beside them.
            guard Date() < deadline else { throw ChildFailed(program: "postgres", errors: process.errorText) }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Ends it in order: connections are broken off, what was committed is on disk.
    package func stop() {
        process?.send(signal: SIGINT)
        _ = process?.waitForExit(seconds: 30)
        process?.kill()
    }

    /// SIGKILL.
    package func kill() { process?.kill() }

    /// Stops every process of it, so that it takes connections and answers nothing.
    package func pause() { for member in members { _ = Glibc.kill(member, SIGSTOP) } }
    package func goOn() { for member in members { _ = Glibc.kill(member, SIGCONT) } }

    /// Breaks off every connection but the one that says so.
    package func cut() throws {
        _ = try ask(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
            """)
    }

    /// A copy of everything as it is now, while it is stopped.
    package func copy(to name: String) throws { _ = try ChildProcess.run("cp", ["-a", data, folder.path(name)], in: folder) }

    /// Puts a copy in the place of everything, while it is stopped.
    package func restore(from name: String) throws {
        _ = try ChildProcess.run("rm", ["-rf", data], in: folder)
        _ = try ChildProcess.run("cp", ["-a", folder.path(name), data], in: folder)
    }

    /// One statement's answer as text.
    package func ask(_ statement: String) throws -> String {
        let answer = try ChildProcess.run("\(Self.programs ?? "")/psql", ["-qAtX", "-d", uri, "-c", statement], in: folder)
        guard answer.status == 0 else { throw ChildFailed(program: "psql", errors: answer.errors) }
        return answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private var members: [pid_t] {
        guard let process, process.isRunning else { return [] }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let children = all.compactMap { pid_t($0) }.filter { member in
            let text = (try? String(contentsOfFile: "/proc/\(member)/stat", encoding: .utf8)) ?? ""
            return text.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { pid_t($0) } == process.identifier
        }
        return [process.identifier] + children
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        let (program, arguments) = Self.asItself(program, arguments)
        return try ChildProcess.run(program, arguments, in: folder)
    }

    private static func asItself(_ program: String, _ arguments: [String]) -> (String, [String]) {
        let path = "\(programs ?? "")/\(program)"
        guard getuid() == 0 else { return (path, arguments) }
        return ("/usr/bin/setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", path] + arguments)
    }

    /// One that was free a moment ago: PostgreSQL doesn't choose by itself.
    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> UInt16? in
                guard unsafe bind(socket, address, length) == 0, unsafe getsockname(socket, address, &length) == 0 else { return nil }
                return unsafe UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian
            }
        }
        guard let port else { throw CocoaError(.fileReadUnknown) }
        return Int(port)
    }
}
