import Foundation
import Synchronization
import TestSupport
import Testing

/// CORS as a real browser carries it out: a page of another origin that calls the API with a token, which takes a preflight.
@Suite("in a browser", .serialized, .timed, .enabled(if: Browser.program != nil, "Chromium is not installed"))
struct BrowserTests {
    /// What a page reports of its two calls: one with a token, one without.
    private struct Report: Decodable {
        struct Call: Decodable {
            var status: Int?
            var body: String?
            var requestID: String?
            var secret: String?
            var error: String?
        }
        let signed: Call
        let unsigned: Call
    }

    private static let page = """
        <!doctype html><title>page</title><script>
        async function call(headers) {
          try {
            const answer = await fetch('GATEWAY/v1/page', {method: 'PUT', headers, body: '{}'});
            return {status: answer.status, body: await answer.text(), requestID: answer.headers.get('X-Request-ID'),
                    secret: answer.headers.get('X-Secret')};
          } catch (error) { return {error: String(error)}; }
        }
        (async () => {
          const type = {'Content-Type': 'application/json'};
          const signed = await call({...type, 'Authorization': 'Bearer TOKEN', 'X-Tenant-ID': 'TENANT'});
          const unsigned = await call(type);
          await fetch('/report', {method: 'POST', body: JSON.stringify({signed, unsigned})});
        })();
        </script>
        """

    @Test("a page of a listed origin reads answers and refusals, one of another origin reads nothing and its call goes nowhere")
    func pages() throws {
        let (listed, other) = (try PageServer(), try PageServer())
        let bench = try Bench {
            $0.routes = [
                "- {path: /v1/page, methods: [PUT], upstream: jitsudo, cors: {origins: [\"\(listed.origin)\"]}}"
            ]
        }
        bench.upstream.answer { _ in [.json(#"{"hello":"page"}"#, fields: "X-Secret: 1\r\nAccess-Control-Allow-Origin: *\r\n")] }
        let page = Self.page.replacing("GATEWAY", with: "https://127.0.0.1:\(bench.gateway.port)")
            .replacing("TOKEN", with: GoodRequest.token).replacing("TENANT", with: TestIssuers.acme)

        let good = try JSONDecoder().decode(Report.self, from: Browser.report(of: page, on: listed))
        #expect(good.signed.status == 200 && good.signed.body == #"{"hello":"page"}"#, "\(good)")
        #expect(good.signed.requestID?.count == 32, "exposed")
        #expect(good.signed.secret == nil, "not exposed")
        #expect(good.unsigned.status == 401 && good.unsigned.body?.contains("unauthenticated") == true, "\(good)")
        #expect(bench.upstream.takeRequests().map(\.method) == ["PUT"])

        let bad = try JSONDecoder().decode(Report.self, from: Browser.report(of: page, on: other))
        #expect(bad.signed.error?.contains("Failed to fetch") == true && bad.signed.status == nil, "\(bad)")
        #expect(bad.unsigned.error != nil)
        #expect(bench.upstream.received == 1, "the browser asked first, and went no further")
        _ = bench.gateway.process.terminate()
        let preflights = bench.gateway.accessLog.filter { $0["method"] as? String == "OPTIONS" }
        #expect(preflights.count >= 2 && preflights.allSatisfy { $0["status"] as? Int == 204 })
    }
}

/// An origin of its own that serves one page and takes its report.
final class PageServer: Sendable {
    private let server: RecordingUpstream
    private let page = Mutex("")

    init() throws {
        server = try RecordingUpstream()
        server.answer { [weak self] request in
            let html = self?.page.withLock { $0 } ?? ""
            return [
                request.target == "/"
                    ? .text("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: \(html.utf8.count)\r\n\r\n\(html)")
                    : .json("{}")
            ]
        }
    }

    var origin: String { "http://localhost:\(server.port)" }

    func show(_ html: String) { page.withLock { $0 = html } }

    /// What the page has posted; nil where nothing comes in a minute.
    func report() -> Data? {
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            if let report = server.takeRequests().first(where: { $0.target == "/report" }) { return Data(report.content) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return nil
    }
}

/// Debian's Chromium without a window.
enum Browser {
    static let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Opens the page at the server's origin and waits for its report.
    static func report(of page: String, on server: PageServer) throws -> Data {
        server.show(page)
        let folder = try TemporaryFolder()
        let browser = try ChildProcess(
            URL(filePath: program ?? ""),
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
                "--ignore-certificate-errors", "--disable-background-networking", "--disable-component-update",
                "--user-data-dir=\(folder.path("profile"))", "\(server.origin)/",
            ], in: folder, name: "chromium")
        defer { browser.terminate() }
        guard let report = server.report() else { throw ChildFailed(program: "chromium", errors: browser.errorText) }
        return report
    }
}
