import Foundation
import TestSupport
import Testing

/// `traceparent` (W3C Trace Context): passed on where it is valid, made where it is not, and in the log either way.
@Suite("traces", .serialized, .timed)
struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let valid = "00-\(trace)-00f067aa0ba902b7-01"

    /// Fields of a request, and whether its trace goes on.
    private static let cases: [(fields: [String], goesOn: Bool)] = [
        ([], false),
        (["traceparent: \(valid)"], true),
        (["TraceParent: \(valid)", "tracestate: a=1"], true),
        (["traceparent: cc-\(trace)-00f067aa0ba902b7-01-what-the-future-brings"], true),
        (["tracestate: a=1"], false),
        (["traceparent: \(valid)", "traceparent: \(valid)"], false),
        (["traceparent: \(valid)-more"], false),
        (["traceparent: ff-\(trace)-00f067aa0ba902b7-01"], false),
        (["traceparent: cc-\(trace)-00f067aa0ba902b7-01.more"], false),
        (["traceparent: \(valid.uppercased())"], false),
        (["traceparent: 00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01"], false),
        (["traceparent: 00-\(trace)-0000000000000000-01"], false),
        (["traceparent: 00-\(trace)-00f067aa0ba902b7"], false),
        (["traceparent: 00-\(trace.dropLast())g-00f067aa0ba902b7-01", "tracestate: a=1"], false),
        (["traceparent:"], false),
        (["traceparent: \(valid)", "Connection: traceparent"], false),
    ]

    @Test("each request goes on in one trace, which its log line names")
    func traces() throws {
        let folder = try TemporaryFolder()
        let upstream = try RecordingUpstream()
        let gateway = try Gateway(file: try GatewayFile(jitsudo: upstream.port, rinne: upstream.port).write(to: folder), in: folder)
        for entry in Self.cases {
            let answer = try gateway.ask(Dialect.jitsudo.call("GET", "/things", token: Dialect.jitsudo.memberToken, entry.fields))
            #expect(answer.status == 200)
        }
        _ = try gateway.ask(request("GET", "/nowhere", ["traceparent: \(Self.valid)"]))
        let requests = upstream.takeRequests()
        gateway.process.terminate()
        let log = gateway.accessLog
        try #require(requests.count == Self.cases.count)
        var made: Set<String> = []
        for (index, entry) in Self.cases.enumerated() {
            let parents = requests[index].fields.filter { $0.name == "traceparent" }.map(\.value)
            let states = requests[index].fields.filter { $0.name == "tracestate" }.map(\.value)
            try #require(parents.count == 1, "\(entry.fields)")
            let parts = parents[0].split(separator: "-").map(String.init)
            let line = try #require(
                log.first { $0["request_id"] as? String == requests[index].fields.first { $0.name == "x-request-id" }?.value })
            #expect(line["trace_id"] as? String == parts[1])
            if entry.goesOn {
                #expect(entry.fields.contains { $0.hasSuffix(parents[0]) }, "as it came")
                #expect(states.count == entry.fields.count - 1)
            } else {
                #expect(parts[0] == "00" && parts[3] == "00" && parts[1].count == 32 && parts[2].count == 16)
                #expect(parts[1] != Self.trace && made.insert(parts[1]).inserted)
                #expect(states.isEmpty)
            }
        }
        let refused = try #require(log.first { $0["code"] as? String == "route_not_found" })
        #expect(refused["trace_id"] as? String == Self.trace, "a refused request's line names it too")
    }

    @Test("control characters of a plain user id are escaped, and other text is as it was written")
    func escaping() throws {
        let folder = try TemporaryFolder()
        let upstream = try RecordingUpstream()
        var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        file.more = ["log: {users: plain}"]
        let gateway = try Gateway(file: try file.write(to: folder), in: folder)
        let user = "a\"b\\c\u{9b}31m\u{e9}\u{1F600}"
        let answer = try gateway.ask(Dialect.rinne.call("GET", "/things", token: Dialect.rinne.token(user)))
        gateway.process.terminate()
        let text = gateway.process.outputText
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        #expect(text.split(separator: "\n").count == 1)
        #expect(answer.status == 200)
        #expect(gateway.accessLog.first?["user"] as? String == user)
    }
}
