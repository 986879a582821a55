import Foundation
import TestSupport
import Testing

/// RFC 9113 frame by frame: what breaks a rule comes to the right error, and nothing of it reaches the upstream.
@Suite("HTTP/2 messages", .serialized, .timed)
struct HTTP2MessageTests {
    @Test("every bad message comes to its error, and no request of it reaches the upstream")
    func refused() throws {
        let bench = try Bench()
        for message in HTTP2Messages.all + HTTP2Frames.all {
            let client = try HTTP2Client(port: bench.gateway.port, greets: message.greets)
            client.patience = 5
            try? client.stream.send(message.bytes)
            let goesOn = client.settle()
            check(message, client, goesOn)
            if goesOn {
                let next = try client.exchange(on: 101, GoodStream.fields("GET", "/v1/next"))
                #expect(next.status == 200, "\(message.name): the connection goes on")
            }
            client.stream.close()
            let reached = bench.upstream.takeRequests().filter { $0.target != "/v1/next" }
            #expect(reached.isEmpty, "\(message.name) reached the upstream: \(reached.map(\.text))")
        }
        bench.gateway.process.kill()
        let late = (HTTP2Messages.all + HTTP2Frames.all).count(where: \.isLate)
        #expect(bench.upstream.takeLeftovers().count <= late, "only messages with a late fault may have been begun")
        let count = HTTP2Messages.all.count + HTTP2Frames.all.count
        print("HTTP/2 messages: \(count) refused")
        #expect(count >= 150)
        let names = (HTTP2Messages.all + HTTP2Frames.all).map(\.name)
        #expect(Set(names).count == names.count)
    }

    private func check(_ message: HTTP2Case, _ client: HTTP2Client, _ goesOn: Bool) {
        let answer = client.answers[1] ?? HTTP2Answer()
        let what =
            "\(message.name): goes on \(goesOn), GOAWAY \(client.goaway.map(String.init) ?? "none"), status \(answer.status) "
            + "\(answer.gatewayCode ?? ""), reset \(answer.reset.map(String.init) ?? "none")"
        switch message.outcome {
        case .connection(let codes):
            #expect(client.isEnded, "\(what)")
            if !codes.isEmpty { #expect(client.goaway.map(codes.contains) == true, "\(what)") }
            #expect(answer.status == 0 || answer.gatewayCode != nil, "\(what)")
        case .stream(let codes):
            #expect(goesOn && answer.reset.map(codes.contains) == true, "\(what)")
            #expect(answer.status == 0, "\(what)")
        case .refused(let code, let reset):
            #expect(goesOn && answer.isWhole && answer.gatewayCode == code && answer.reset == reset, "\(what)")
            #expect(answer.wire.code == code && answer.field("x-request-id") != nil, "\(what)")
            #expect(answer.field("connection") == nil && answer.field("transfer-encoding") == nil, "\(what)")
        case .silence: #expect(goesOn && answer.status == 0 && answer.reset == nil, "\(what)")
        case .passes: #expect(answer.status == 200, "\(what)")
        }
    }

    @Test("every good neighbour reaches the upstream once, whole")
    func passed() throws {
        let bench = try Bench()
        for message in HTTP2Neighbours.all {
            let client = try HTTP2Client(port: bench.gateway.port)
            client.patience = 5
            try client.stream.send(message.bytes)
            let answer = try? client.answer(on: 1)
            #expect(
                answer?.status == 200 && answer?.reset == nil,
                "\(message.name): \(answer?.status ?? 0) \(answer?.gatewayCode ?? ""), GOAWAY \(client.goaway.map(String.init) ?? "none")")
            client.stream.close()
            let reached = bench.upstream.takeRequests()
            #expect(reached.count == 1, "\(message.name)")
            for name in ["connection", "te", "x-hop", "upgrade"] { #expect(reached.first?.values(name) == [], "\(message.name)") }
            #expect(reached.first?.values("host") == ["gateway.test"], "\(message.name)")
            #expect(reached.first?.values("via") == ["2.0 tenantgate"], "\(message.name)")
        }
        #expect(HTTP2Neighbours.all.count >= 25)
    }

    @Test("crumbs of a cookie go upstream as one field")
    func cookies() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port)
        let crumbs = ["a=1", "b=2", "c=3"].map { HTTP2Field("cookie", $0) }
        #expect(try client.exchange(GoodStream.pseudo("GET", "/healthz") + crumbs).status == 200)
        #expect(bench.upstream.takeRequests().first?.values("cookie") == ["a=1; b=2; c=3"])
    }

    @Test("a request is read alike wherever its bytes are cut")
    func cutAnywhere() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port)
        var number = 0
        for cut in stride(from: 1, to: 400, by: 13) {
            let id = UInt32(2 * number + 1)
            number += 1
            let fields = GoodStream.fields("POST", "/v1/page")
            let trailer = [HTTP2Field("x-check", "yes")]
            let whole =
                HTTP2Frame.headers(id, fields, end: false).bytes + HTTP2Frame.data(id, Array("hello".utf8), end: false).bytes
                + HTTP2Frame.headers(id, trailer).bytes
            let at = min(whole.count - 1, cut * whole.count / 400)
            try client.stream.send(Array(whole[..<at]))
            try client.stream.send(Array(whole[at...]))
            #expect(try client.answer(on: id).status == 200, "cut at \(at)")
        }
        let reached = bench.upstream.takeRequests()
        #expect(reached.count == number)
        #expect(reached.allSatisfy { String(decoding: $0.content, as: UTF8.self) == "hello" && $0.bodyText.contains("x-check: yes") })
    }

    @Test("each request has its line in the log, also one that was not even read")
    func log() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port)
        #expect(try client.exchange(GoodStream.fields()).status == 200)
        #expect(try client.exchange(GoodStream.pseudo()).status == 401)
        #expect(try client.exchange(GoodStream.fields() + [HTTP2Field("connection", "close")]).status == 400)
        #expect(try bench.gateway.ask(GoodRequest.target("/v1/page")).status == 200)
        client.stream.close()
        bench.gateway.process.terminate()
        let lines = bench.gateway.accessLog
        #expect(lines.map { $0["protocol"] as? String } == ["HTTP/2.0", "HTTP/2.0", "HTTP/2.0", "HTTP/1.1"])
        #expect(lines.map { $0["code"] as? String } == ["-", "unauthenticated", "bad_request", "-"])
        #expect(lines.map { $0["status"] as? Int } == [200, 401, 400, 200])
    }
}
