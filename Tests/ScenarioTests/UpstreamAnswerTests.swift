import Foundation
import TestSupport
import Testing

/// Malformed and ambiguous answers: the client must never read what two readers could split in two ways (SPEC §5).
@Suite("upstream answers", .serialized, .timed)
struct UpstreamAnswerTests {
    private static let request = Array(GoodRequest.target("/v1/page").utf8)

    @Test("an answer with a bad head is 502, and none of it is passed on")
    func badHeads() throws {
        let bench = try Bench { $0.timeout = "2s" }
        for (name, text) in UpstreamAnswers.badHeads {
            bench.upstream.answer { _ in [.text(text), .close] }
            let answer = try bench.ask(Self.request)
            #expect(answer.status == 502, "\(name): \(answer.status) \(answer.fields)")
            #expect(["upstream_protocol_error", "upstream_unavailable"].contains(answer.gatewayCode ?? "passed"), "\(name)")
            #expect(answer.text.contains("upstream_"), "\(name)")
        }
        print("upstream answers: \(UpstreamAnswers.badHeads.count + UpstreamAnswers.badBodies.count) refused")
    }

    @Test("an answer with a bad body never ends cleanly")
    func badBodies() throws {
        let bench = try Bench { $0.timeout = "2s" }
        for (name, text) in UpstreamAnswers.badBodies {
            bench.upstream.answer { _ in [.text(text), .close] }
            let client = try bench.gateway.client()
            guard let answer = try? client.exchange(Self.request) else {
                // Cut before anything of the answer was written: as good.
                #expect(try client.end(within: 5) == false, "\(name): a clean end")
                #expect(bench.gateway.process.isRunning, "\(name)")
                continue
            }
            if answer.gatewayCode == nil {
                #expect(answer.isCut, "\(name): passed as whole: \(answer.text)")
                #expect(try client.end(within: 5) == false, "\(name): a clean end")
            } else {
                #expect(answer.status == 502, "\(name)")
            }
        }
    }

    @Test("what an upstream sends behind its answer is nobody's answer")
    func bytesBehind() throws {
        let bench = try Bench()
        let smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"
        for behind in [smuggled, "garbage", "\r\n\r\n" + smuggled] {
            let client = try bench.gateway.client()
            bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + behind)] }
            #expect(try client.exchange(Self.request).text == "{}")
            bench.upstream.answer { _ in [.json(#"{"second":true}"#)] }
            let second = try client.exchange(Self.request)
            #expect(second.text == #"{"second":true}"#, "behind \(behind.debugDescription): \(second.status) \(second.text)")
        }
    }

    @Test("an upstream that says nothing is 504, one that goes away is 502")
    func silence() throws {
        let bench = try Bench { $0.timeout = "1s" }
        bench.upstream.answer { _ in [.hang] }
        #expect(try bench.ask(Self.request).gatewayCode == "upstream_timeout")
        bench.upstream.answer { _ in [.reset] }
        #expect(try bench.ask(Self.request).status == 502)
        bench.upstream.stop()
        #expect(try bench.ask(Self.request).gatewayCode == "upstream_unavailable")
    }

    @Test("good neighbours are passed on as they are", arguments: UpstreamAnswers.goodNeighbours)
    func good(_ name: String, _ text: String, _ body: String) throws {
        let bench = try Bench()
        bench.upstream.answer { _ in [.text(text), .close] }
        let answer = try bench.ask(Self.request)
        #expect(answer.gatewayCode == nil, "\(name)")
        #expect(answer.text == body, "\(name)")
        #expect(!answer.isCut, "\(name)")
        if name == "two cookies" { #expect(answer.values("set-cookie") == ["a=1", "b=2"]) }
    }
}
