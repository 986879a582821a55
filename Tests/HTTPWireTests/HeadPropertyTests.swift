import NIOCore
import TestSupport
import Testing

@testable import HTTPWire

@Suite("Any head")
struct HeadPropertyTests {
    /// Long forms: `TENANTGATE_WIRE_HEADS=1000000 swift test --filter HeadPropertyTests`.
    private static let rounds = environmentNumber("TENANTGATE_WIRE_HEADS", default: 3000)

    /// What smuggling is made of.
    private static let snippets: [String] = [
        "\r\n", "\n", "\r", "\u{0}", "\u{B}", "\u{C}", "\u{85}", "\u{A0}", " ", "\t", ":", ",", ";", "_", "-", "+", "0", "0x", "5", "\"",
        "chunked", ", identity", "Content-Length: 7\r\n", "Content_Length: 7\r\n", "Content.Length: 7\r\n", "content-length :7\r\n",
        " Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding:\u{B}chunked\r\n", "Transfer-Encoding: x\r\n",
        "X: y\nContent-Length: 7\r\n", "Connection: Content-Length\r\n", "Host: b\r\n", "\r\n\r\n", "X: \u{85}Content-Length: 7\r\n",
    ]

    private static let bases: [String] = [
        request("Content-Length: 5", "X-Other: z"), request("Transfer-Encoding: chunked", "Accept: */*"), request("X-Tenant-ID: t"),
        request("Connection: close, x-a", "X-A: b", "Content-Length: 12"),
    ]

    @Test("that is changed at random is refused or delimited as every sloppy reader delimits it")
    func mutated() {
        var random = SeededRandom(seed: 20_261_121)
        var accepted = 0
        for round in 0..<Self.rounds {
            let bytes = mutation(&random)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let outcome = readRequest(bytes)
            #expect(readRequest(bytes, cuts: [cut]) == outcome, "round \(round)")
            guard case .head(let reading, let rest) = outcome else { continue }
            accepted += 1
            let head = Array(bytes.dropLast(rest.count))
            for reader in LenientReader.all {
                #expect(reader.framing(of: head) == reading.framing, "round \(round), \(reader), \(String(decoding: head, as: UTF8.self))")
            }
        }
        #expect(accepted > Self.rounds / 20)
    }

    private func mutation(_ random: inout SeededRandom) -> [UInt8] {
        var bytes = latin1(random.pick(Self.bases))
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.remove(at: place)
            case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 2: bytes.insert(contentsOf: latin1(random.pick(Self.snippets)), at: lineStart(before: place, in: bytes))
            default: bytes.insert(contentsOf: latin1(random.pick(Self.snippets)), at: place)
            }
        }
        return bytes
    }

    private func lineStart(before place: Int, in bytes: [UInt8]) -> Int {
        (bytes[..<place].lastIndex(of: 0x0A) ?? -1) + 1
    }

    @Test("that is well-formed comes back as it was made, however it is cut")
    func roundTrip() {
        var random = SeededRandom(seed: 9112)
        for round in 0..<Self.rounds / 10 {
            let made = wellFormed(&random)
            let cuts = (0..<3).map { _ in Int.random(in: 0...made.bytes.count, using: &random) }.sorted()
            let outcome = readRequest(made.bytes, cuts: cuts)
            #expect(outcome.reading?.lines.map(\.name) == made.names, "round \(round)")
            #expect(outcome.reading?.lines.map(\.value) == made.values, "round \(round)")
            #expect(outcome.reading?.start[1] == made.target, "round \(round)")
        }
    }

    private struct Made {
        var bytes: [UInt8] = []
        var names: [String] = []
        var values: [[UInt8]] = []
        var target = ""
    }

    private func wellFormed(_ random: inout SeededRandom) -> Made {
        var made = Made()
        made.target = "/" + text(&random, from: "abcXYZ019-._~!$&'()*+,=:@%?/", upTo: 60)
        made.bytes = latin1("\(random.pick(["GET", "PUT", "X-Y"])) \(made.target) HTTP/1.1\r\n")
        add("Host", latin1("a.example"), to: &made, &random)
        for number in 0..<Int.random(in: 0...20, using: &random) {
            // The number keeps random names from meeting a known one.
            let name = "q\(number)" + text(&random, from: "!#$%&'*+-.^_`|~09azAZ", upTo: 20)
            let value = (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 0x21...0xFF, using: &random) }
            add(name, value.map { $0 == 0x7F ? 0x2E : $0 }, to: &made, &random)
        }
        made.bytes += [0x0D, 0x0A]
        return made
    }

    private func add(_ name: String, _ value: [UInt8], to made: inout Made, _ random: inout SeededRandom) {
        made.names.append(name)
        made.values.append(value)
        made.bytes +=
            latin1(name + ":" + text(&random, from: " \t", upTo: 2)) + value + latin1(text(&random, from: " \t", upTo: 2) + "\r\n")
    }

    private func text(_ random: inout SeededRandom, from characters: String, upTo count: Int) -> String {
        let characters = Array(characters)
        return String((0..<Int.random(in: 0...count, using: &random)).map { _ in random.pick(characters) })
    }

    @Test("that arrives slowly is looked at once: what was seen of a line isn't looked at again")
    func slowDrip() throws {
        var cursor = LineCursor()
        let first = latin1("X: some")
        #expect(try cursor.next(in: first.span, limit: 100, excess: .headersTooLarge) == nil)
        // A second look at the first bytes would stop at the NULs.
        let second = [UInt8](repeating: 0, count: first.count) + latin1(" more\r\n")
        #expect(try cursor.next(in: second.span, limit: 100, excess: .headersTooLarge) == 0..<12)
    }
}
