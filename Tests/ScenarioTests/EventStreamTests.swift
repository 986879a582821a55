import Foundation
import TestSupport
import Testing

/// Server-sent events to a client that others could have written: Python's `http.client` and the HTML standard's rules for reconnecting.
@Suite("server-sent events", .serialized, .timed, .enabled(if: EventClient.isThere, "Python is not installed"))
struct EventStreamTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> UpstreamStep { .text("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n") }

    @Test("events come as they are said, go on after a break where they stopped, and end with a suspension")
    func mainJob() throws {
        let bench = try Bench { $0.more = ["timeouts: {body: 1s, body_grace: 500ms}"] }
        let (first, second) = (TestGate(), TestGate())
        bench.upstream.answer { request in
            if request.target.hasSuffix("/suspend") { return [.json(#"{"id":"\#(Dialect.jitsudo.member)","active":false}"#)] }
            switch request.field("last-event-id") {
            case nil:
                // One event, silence, half an event, silence, the rest, and an end in the middle.
                return [
                    .text(Self.head), Self.chunk("retry: 20\nid: 1\ndata: one\n\n"), .hold(first), Self.chunk("id: 2\ndata: tw"),
                    Self.chunk("o\ndata: lines\n\n"), .close,
                ]
            case "2":
                return [.text(Self.head), Self.chunk("id: 3\nevent: last\ndata: three\n\n"), .hold(second), Self.chunk("data: never\n\n")]
            default: return [.text("HTTP/1.1 204 No Content\r\n\r\n")]
            }
        }
        let client = try EventClient(bench, Dialect.jitsudo.memberToken)
        defer { client.process.kill() }
        #expect(try client.wait("open")["last"] as? String == "")
        #expect(try client.wait("event")["data"] as? String == "one", "before anything more was said")
        first.open()
        let two = try client.wait("event")
        #expect(two["data"] as? String == "two\nlines" && two["id"] as? String == "2")
        _ = try client.wait("lost")
        #expect(try client.wait("open")["last"] as? String == "2")
        #expect(try client.wait("event")["type"] as? String == "last")
        #expect(try bench.ask(Array(Dialect.jitsudo.setActive(false, Dialect.jitsudo.member).utf8)).status == 200)
        _ = try client.wait("lost")
        let failed = try client.wait("failed")
        #expect(failed["status"] as? Int == 403 && (failed["body"] as? String)?.contains("user_suspended") == true)
        #expect(client.process.waitForExit(seconds: 10) == 0)
        second.open()
        #expect(bench.upstream.takeRequests().map(\.target) == ["/v1/events", "/v1/events", "/v1/users/\(Dialect.jitsudo.member)/suspend"])
    }

    @Test("another tenant, or no good token, opens nothing", arguments: [true, false])
    func refused(hasToken: Bool) throws {
        let bench = try Bench()
        let token = hasToken ? Dialect.jitsudo.token(Dialect.jitsudo.member, tenant: TestIssuers.globex) : "x.y.z"
        let failed = try EventClient(bench, token).wait("failed")
        #expect(failed["status"] as? Int == (hasToken ? 403 : 401))
        #expect((failed["body"] as? String)?.contains(hasToken ? "tenant_mismatch" : "invalid_token") == true)
        #expect(bench.upstream.received == 0)
    }
}

/// The client as a child, and what it says.
private final class EventClient {
    let process: ChildProcess
    private let folder: TemporaryFolder
    private var seen = 0

    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first(where: FileManager.default.isExecutableFile)
    static var isThere: Bool { python != nil }

    init(_ bench: Bench, _ token: String) throws {
        folder = try TemporaryFolder()
        let script = BuildProducts.repository.appending(path: "Tests/Providers/events.py").path
        process = try ChildProcess(
            URL(filePath: try #require(Self.python)),
            [script, "\(bench.gateway.port)", try TestCertificate.gateway.get().chainFile, token, TestIssuers.acme, "/v1/events"],
            in: folder,
            name: "events")
    }

    /// The next thing that it says, which must be of this kind.
    func wait(_ what: String) throws -> [String: Any] {
        let number = seen
        seen += 1
        let line = try process.waitForLine(seconds: 20) { [process] _ in
            let text = process.outputText
            let lines = text.split(separator: "\n")
            return lines.count > number && text.hasSuffix("\n") ? String(lines[number]) : nil
        }
        let said = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(said["what"] as? String == what, "\(line)")
        return said
    }
}
