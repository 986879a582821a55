import Foundation
import TestSupport
import Testing

/// The real `tenantgate demo`, and real curl: every line that it prints gives the outcome printed beside it.
@Suite("demo")
struct DemoTests {
    /// A `curl` line and what stands below it.
    struct Line {
        let title: String
        let command: String
        let expected: [String]
    }

    @Test("every curl line gives the outcome printed beside it, for both dialects")
    func everyLine() throws {
        let folder = try TemporaryFolder()
        let demo = try start(in: folder)
        let lines = lines(of: demo.outputText)
        #expect(lines.count { $0.command.hasPrefix("curl ") } == 26 && lines.count == 29)
        for line in lines {
            let result = try ChildProcess.run("sh", ["-c", line.command], in: folder)
            #expect(result.status == 0, "\(line.title): \(result.errors)")
            guard line.command.hasPrefix("curl ") else {
                #expect(result.output.contains(line.expected.joined()), "\(line.title)\n\(line.command)\n\(result.output)")
                continue
            }
            #expect(answers(result.output) == line.expected, "\(line.title)\n\(line.command)\n\(result.output)")
        }
        #expect(Set(lines.flatMap(\.expected)).isSuperset(of: ["200", "401 unauthenticated", "403 tenant_mismatch", "403 user_suspended"]))
        for change in ["suspended", "lifted (operator)"] {
            _ = try demo.waitForErrors { $0.contains("gateway: admin: demo \(change) user \"usr_ben\"") ? true : nil }
        }
        #expect(demo.terminate() == 0)
    }

    @Test("it leaves nothing behind: neither a folder nor a child, also when it is killed", arguments: [SIGTERM, SIGKILL])
    func leavesNothing(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        let demo = try start(in: folder)
        let files = try #require(demo.outputText.split(separator: "\n").first { $0.hasPrefix("Its file") })
        let place = String(files.split(separator: " ").first { $0.hasPrefix("/") } ?? "")
        #expect(FileManager.default.fileExists(atPath: place))
        #expect(try users(of: place, folder) == 2)
        if signal == SIGTERM { demo.terminate() } else { demo.kill() }
        #expect(FileManager.default.fileExists(atPath: place) == (signal == SIGKILL))
        let deadline = Date(timeIntervalSinceNow: 20)
        while try users(of: place, folder) > 0, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
        #expect(try users(of: place, folder) == 0)
        try? FileManager.default.removeItem(atPath: place)
    }

    private func start(in folder: TemporaryFolder) throws -> ChildProcess {
        let demo = try ChildProcess(BuildProducts.program("tenantgate"), ["demo", "--port", "0"], in: folder, name: "demo")
        _ = try demo.waitForLine { $0.contains("By hand") ? true : nil }
        // The text is written at once, its last line last.
        let deadline = Date(timeIntervalSinceNow: 10)
        while lines(of: demo.outputText).count < 29, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
        return demo
    }

    /// Processes that have a file of the demo's folder on their command line.
    private func users(of place: String, _ folder: TemporaryFolder) throws -> Int {
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
        return processes.count { process in
            let line = (try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))) ?? Data()
            return String(decoding: line, as: UTF8.self).contains("\(place)/")
        }
    }

    /// `# title`, `curl …`, `# expect: …`, three lines each.
    private func lines(of text: String) -> [Line] {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        return all.indices.dropFirst().dropLast().compactMap { index in
            guard all[index].hasPrefix("curl ") || all[index].contains("tenantgate suspensions "), all[index + 1].hasPrefix("# expect: ")
            else { return nil }
            let expected = all[index + 1].dropFirst("# expect: ".count).replacing(" from the service", with: "").replacing(", ", with: "\n")
            return Line(
                title: String(all[index - 1]), command: String(all[index]), expected: expected.split(separator: "\n").map(String.init))
        }
    }

    /// Status and, where the gateway itself answered, its code, of every answer that curl printed.
    private func answers(_ output: String) -> [String] {
        var answers: [String] = []
        for line in output.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") { answers.append(line.split(separator: " ").dropFirst().first.map(String.init) ?? "") }
            guard line.lowercased().hasPrefix("proxy-status: tenantgate"), let code = line.split(separator: "details=").last else {
                continue
            }
            answers[answers.count - 1] += " \(code)"
        }
        return answers
    }
}
