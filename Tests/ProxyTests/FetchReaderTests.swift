import NIOCore
import Policy
import Testing

@testable import Proxy

@Suite("what is read of a fetched answer") struct FetchReaderTests {
    /// What an answer comes to that arrives in these pieces, and then the connection's end.
    private func read(_ answer: String, piece: Int = .max) -> FetchReader.Outcome {
        var reader = FetchReader()
        var rest = Array(answer.utf8)[...]
        while !rest.isEmpty {
            reader.input.writeBytes(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            if let outcome = reader.advance() { return outcome }
        }
        return reader.inputEnded()
    }

    private func cause(_ answer: String) -> FetchFailure.Cause? {
        if case .failure(let failure) = read(answer) { failure.cause } else { nil }
    }

    private static let good = [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n3\r\nody\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody",
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nbody",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 4\r\n\r\nbody",
    ]

    @Test("a whole body is read, however the bytes are cut", arguments: good)
    func whole(answer: String) throws {
        for piece in 1...answer.utf8.count { #expect(try read(answer, piece: piece).get().body == Array("body".utf8)) }
    }

    @Test(
        "what is not a whole 200 is named",
        arguments: [
            ("HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", .redirect),
            ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", .redirect),
            ("HTTP/1.1 308 X\r\nContent-Length: 0\r\n\r\n", .redirect),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", .status), ("HTTP/1.1 204 No Content\r\n\r\n", .status),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", .status), ("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}", .status),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", .http),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", .http),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody", .http),
            ("HTTP/1.1 101 Switching\r\n\r\n", .http),
            ("", .http), ("SSH-2.0-OpenSSH\r\n", .http), ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", .tooLarge),
            ("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1_048_577), .tooLarge),
            ("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n", .tooLarge),
        ] as [(String, FetchFailure.Cause)])
    func bad(answer: String, cause: FetchFailure.Cause) {
        #expect(self.cause(answer) == cause)
    }

    @Test("a body of exactly the bound is taken")
    func bound() throws {
        #expect(try read("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1_048_576)).get().body.count == 1_048_576)
    }

    @Test(
        "freshness is what Cache-Control says, the shortest of several",
        arguments: [
            (nil, nil), ("max-age=60", 60), ("public, max-age=60, must-revalidate", 60), ("MAX-AGE=60", 60), ("max-age=\"60\"", 60),
            ("no-cache", 0),
            ("no-store, max-age=60", 0), ("private", nil), ("max-age=", nil), ("max-age=x", nil), ("s-maxage=5", nil),
            ("max-age=60, max-age=5", 5),
            ("max-age=99999999999999999999", Int64.max),
        ] as [(String?, Int64?)])
    func freshness(field: String?, seconds: Int64?) throws {
        let line = field.map { "Cache-Control: \($0)\r\n" } ?? ""
        #expect(try read("HTTP/1.1 200 OK\r\n\(line)Content-Length: 0\r\n\r\n").get().maxAge == seconds)
    }
}
