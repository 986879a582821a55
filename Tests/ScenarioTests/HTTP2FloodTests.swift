import Foundation
import Glibc
import TestSupport
import Testing

/// Floods that HTTP/2 is known for: each ends its own connection, at a bounded price, while others are served.
@Suite("HTTP/2 floods", .serialized, .timed)
struct HTTP2FloodTests {
    /// A client that sends the same again and again.
    struct Flood: Sendable, CustomTestStringConvertible {
        let name: String
        /// What goes first.
        var start: [UInt8] = []
        /// What is sent for stream `1 + 2 * n`.
        let round: @Sendable (UInt32) -> [UInt8]
        var rounds = 20_000
        /// The GOAWAY's code; nil where the connection may end without one.
        var code: UInt32? = HTTP2Codes.enhanceYourCalm
        /// Requests that may reach the upstream before the connection ends.
        var requests = 0
        /// Streams that are sent at a time, before all is answered; otherwise the bound on open streams would end it first.
        var pace: Int?
        /// The frames mean nothing and cost next to nothing: the connection goes on.
        var isHarmless = false

        var testDescription: String { name }
    }

    private static let get = GoodStream.fields()
    private static let post = GoodStream.fields("POST", "/v1/page")

    static let floods: [Flood] = [
        Flood(
            name: "rapid reset, CVE-2023-44487",
            round: { HTTP2Frame.headers($0, get).bytes + HTTP2Frame.reset($0).bytes }, requests: 0),
        Flood(
            name: "rapid reset of requests that are not whole",
            round: { HTTP2Frame.headers($0, post, end: false).bytes + HTTP2Frame.reset($0).bytes }),
        Flood(
            name: "made you reset by a window update of too much, CVE-2025-8671",
            round: { HTTP2Frame.headers($0, get).bytes + HTTP2Frame.window($0, 0x7FFF_FFFF).bytes }, requests: 250,
            pace: 20),
        Flood(
            name: "made you reset by malformed requests",
            round: { HTTP2Frame.headers($0, get + [HTTP2Field("connection", "x")]).bytes }, pace: 20),
        Flood(name: "PING, CVE-2019-9512", round: { _ in HTTP2Frame.ping().bytes }, code: nil),
        Flood(name: "SETTINGS, CVE-2019-9515", round: { _ in HTTP2Frame.settings().bytes }, code: nil),
        Flood(name: "PRIORITY, CVE-2019-9513", round: { HTTP2Frame(.priority, stream: $0, [0, 0, 0, 0, 1]).bytes }),
        Flood(
            name: "empty DATA, CVE-2019-9518", start: HTTP2Frame.headers(1, post, end: false).bytes,
            round: { _ in HTTP2Frame.data(1, [], end: false).bytes }),
        Flood(
            name: "DATA of nothing but padding", start: HTTP2Frame.headers(1, post, end: false).bytes,
            round: { _ in HTTP2Frame(.data, flags: HTTP2Frame.padded, stream: 1, [10] + Array(repeating: 0, count: 10)).bytes }),
        Flood(name: "window updates", round: { _ in HTTP2Frame.window(0, 1).bytes }),
        Flood(
            name: "rapid reset paid by requests that are refused",
            round: { stream in
                let refused = HTTP2Frame.headers(2 * stream - 1, GoodStream.pseudo()).bytes
                let dropped = HTTP2Frame.headers(2 * stream + 1, get).bytes
                return refused + dropped + HTTP2Frame.reset(2 * stream + 1).bytes
            }, requests: 250, pace: 20),
        Flood(
            name: "unknown frames by the megabyte",
            round: { _ in HTTP2Frame(.unknown, stream: 1, Array(repeating: 0, count: 16_384)).bytes },
            rounds: 10_000),
        Flood(name: "unknown frames", round: { _ in HTTP2Frame(.unknown, stream: 1).bytes }, isHarmless: true),
        Flood(
            name: "CONTINUATION, CVE-2024-28182", start: HTTP2Frame(.headers, flags: 1, stream: 1, HPACK.block(get)).bytes,
            round: { _ in HTTP2Frame(.continuation, stream: 1, HPACK.literal(HTTP2Field("x-a", "b"))).bytes }, code: nil),
        Flood(
            name: "an HPACK bomb",
            // A field of 4000 bytes into the table, then 3000 references to it.
            round: { stream in
                let field = [0x40] + HPACK.string(Array("x-bomb".utf8)) + HPACK.string(Array(repeating: 65, count: 4000))
                return HTTP2Frame(.headers, flags: 5, stream: stream, field + Array(repeating: 0xBE, count: 3000)).bytes
            }),
    ]

    @Test("a flood ends its connection, cheaply, and others are served meanwhile", arguments: floods)
    func flood(_ flood: Flood) throws {
        let bench = try Bench { $0.threads = 1 }
        let honest = try HTTP2Client(port: bench.gateway.port)
        #expect(try honest.exchange(GoodStream.fields()).status == 200)
        _ = bench.upstream.takeRequests()
        let process = bench.gateway.process
        let (cpu, memory) = (process.cpuSeconds, process.residentMemory)
        let client = try HTTP2Client(port: bench.gateway.port)
        let sent = send(flood, client)
        if flood.isHarmless {
            #expect(client.settle())
        } else {
            #expect(sent < flood.rounds, "the connection took all of it")
            while !client.isEnded { guard try client.read(seconds: 10) else { break } }
            #expect(client.isEnded)
            if flood.pace != nil { #expect(sent < 600) }
        }
        if let code = flood.code { #expect(client.goaway == code || client.goaway == nil, "\(client.goaway.map(String.init) ?? "")") }
        #expect(try honest.exchange(GoodStream.fields()).status == 200)
        let (spent, grown) = (process.cpuSeconds - cpu, (process.residentMemory - memory) / 1024)
        print("flood: \(flood.name): \(sent) rounds, \(spent) CPU s, \(grown) MiB, GOAWAY \(client.goaway.map(String.init) ?? "none")")
        #expect(spent < 2)
        #expect(grown < 32)
        let reached = bench.upstream.takeRequests().count - 1
        #expect(reached <= flood.requests, "\(reached) requests reached the upstream")
    }

    /// Rounds that were sent before the connection ended.
    private func send(_ flood: Flood, _ client: HTTP2Client) -> Int {
        guard (try? client.stream.send(flood.start)) != nil else { return 0 }
        let batch = flood.pace ?? 50
        for first in stride(from: 0, to: flood.rounds, by: batch) {
            let bytes = (first..<first + batch).flatMap { flood.round(UInt32(2 * $0 + 1)) }
            guard (try? client.stream.send(bytes)) != nil, (try? client.read(seconds: 0)) != nil, !client.isEnded else { return first }
            if flood.pace != nil, !client.settle() { return first }
        }
        return flood.rounds
    }

    @Test("no more streams than announced are opened, however the client tries")
    func streams() throws {
        let bench = try Bench()
        bench.upstream.answer { _ in [.hang] }
        let client = try HTTP2Client(port: bench.gateway.port)
        try client.wait { !$0.settings.isEmpty }
        let most = try #require(client.settings[3])
        #expect(most == 128)
        for _ in 0..<most { try client.begin(GoodStream.fields()) }
        #expect(bench.upstream.wait { $0.received == Int(most) })
        try client.begin(GoodStream.fields())
        #expect(!client.settle())
        #expect(bench.upstream.received == Int(most))
    }

    @Test("streams beyond those that may be open are refused and held against nobody who can't know yet; the others are answered")
    func firstFlight() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port, greets: false)
        let streams: [UInt32] = (0..<350).map { 2 * $0 + 1 }
        var flight = HTTP2Frame.preface + HTTP2Frame.settings().bytes
        for id in streams { flight += HTTP2Frame.headers(id, Self.get).bytes }
        try client.stream.send(flight)
        try client.wait { client in streams.allSatisfy { client.answers[$0]?.isEnded == true || client.answers[$0]?.reset != nil } }
        #expect(client.settle())
        #expect(client.answers.values.count { $0.status == 200 } >= 128)
        #expect(client.answers.values.allSatisfy { $0.status == 200 || $0.reset == 7 })
    }

    @Test("resets count for the client's address: it doesn't begin anew with each connection")
    func resetsOfSource() throws {
        let bench = try Bench { $0.threads = 1 }
        let honest = try HTTP2Client(port: bench.gateway.port)
        var (kept, ended) = (0, 0)
        for _ in 0..<40 where ended < 3 {
            let client = try HTTP2Client(port: bench.gateway.port)
            var round: [UInt8] = []
            for index in 0..<150 as Range<UInt32> {
                let id = 2 * index + 1
                round += HTTP2Frame.headers(id, Self.get).bytes
                round += HTTP2Frame.reset(id).bytes
            }
            try? client.stream.send(round)
            if client.settle() { kept += 1 } else { ended += 1 }
            client.stream.close()
        }
        #expect(kept >= 13, "2,000 of them pass")
        #expect(ended == 3)
        #expect(try honest.exchange(GoodStream.fields()).status == 200)
    }

    @Test("a client that often changes its mind, and gets most of its answers, goes on")
    func fickle() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port)
        for _ in 0..<300 {
            let kept = try client.begin(GoodStream.fields())
            let dropped = try client.begin(GoodStream.fields())
            try client.send(.reset(dropped))
            #expect(try client.answer(on: kept).status == 200)
        }
        #expect(client.settle())
    }

    @Test("a client that updates both windows for every piece, and measures by PING, goes on")
    func busy() throws {
        let bench = try Bench()
        bench.upstream.answer { _ in
            [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")] + (0..<3000).map { _ in .text("1\r\nx\r\n") } + [
                .text("0\r\n\r\n")
            ]
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        #expect(try client.exchange(GoodStream.fields()).body.count == 3000)
        #expect(client.settle())
    }

    @Test(
        "a client with a small window, or one that gives back a little at a time, goes on",
        arguments: [(512, 512), (1024, 1024), (65_535, 512)])
    func smallWindow(window: Int, step: Int) throws {
        let bench = try Bench()
        let body = [UInt8](repeating: 66, count: 2 << 20)
        bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n"), .send(body)] }
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, UInt32(window))])
        client.updatesWindows = false
        let id = try client.begin(GoodStream.fields())
        var given = 0
        while client.answers[id]?.isEnded != true, !client.isEnded {
            let taken = client.answers[id]?.body.count ?? 0
            let steps = (taken - given) / step
            given += steps * step
            let frames = [HTTP2Frame.window(0, UInt32(step)), .window(id, UInt32(step))].flatMap(\.bytes)
            if steps > 0 { try client.stream.send((0..<steps).flatMap { _ in frames }) }
            try client.wait { $0.isEnded || $0.answers[id]?.isEnded == true || ($0.answers[id]?.body.count ?? 0) - given >= step }
        }
        #expect(client.answers[id]?.body.count == body.count)
        #expect(client.settle())
    }
}
