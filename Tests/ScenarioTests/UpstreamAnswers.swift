/// Malformed and ambiguous answers: RFC 9112, RFC 9110, and what response splitting was built from.
enum UpstreamAnswers {
    /// What is wrong, and the bytes.
    typealias Case = (name: String, text: String)

    private static let rest = "Content-Length: 2\r\n\r\n{}"

    /// Answers whose head is bad: nothing of them may be passed on.
    static let badHeads: [Case] = [statusLines, fieldLines, lengths, codings, whole].flatMap { $0 }

    private static let statusLines: [Case] = [
        "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1", "HTTP/1.1 +200 OK",
        "ICY 200 OK", "http/1.1 200 OK", "HTTP/2 200 OK", "HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.1 099 OK", "200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 200 O\u{7}K", "HTTP/1.1 200 O\u{0}K", "<html>", "HTTP/1,1 200 OK", "HTTP/1.1 200\r\n OK",
    ].map { (line: String) -> Case in ("status line \(line.debugDescription)", "\(line)\r\n\(rest)") }

    private static let fieldLines: [Case] = [
        "X-A : 1", "X-A", ": 1", "X-A: 1\r\n 2", " X-A: 1", "X-A: a\u{0}b", "X-A: a\u{7}b", "X-A: a\rb", "X-A: 1\nX-B: 2", "X A: 1",
        "Content-Length: 2", "Content-Length: 3", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Content_Length: 0",
        "Transfer_Encoding: chunked", "Location: /a\r\nLocation: /b", "Content-Type: a/b\r\nContent-Type: c/d",
    ].map { (line: String) -> Case in ("field \(line.debugDescription)", "HTTP/1.1 200 OK\r\n\(line)\r\n\(rest)") }

    private static let lengths: [Case] = ["+2", "-2", "0x2", "2a", "2, 2", "2,3", "1 2", "", "18446744073709551618", "2.0", "02"]
        .map { (value: String) -> Case in ("length '\(value)'", "HTTP/1.1 200 OK\r\nContent-Length: \(value)\r\n\r\n{}") }

    private static let codings: [Case] = [
        "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", "", "chunked;q=1",
        "chunked\r\nTransfer-Encoding: chunked",
    ].map { (value: String) -> Case in ("coding '\(value)'", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \(value)\r\n\r\n0\r\n\r\n") }

    private static let whole: [Case] = [
        ("a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a switch that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        ("too many interim answers", String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 40) + "HTTP/1.1 200 OK\r\n" + rest),
        ("an interim answer with a coding", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n" + rest),
        ("a coding with 204", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("LF alone everywhere", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"),
        ("a long field", "HTTP/1.1 200 OK\r\nX-A: " + String(repeating: "a", count: 70_000) + "\r\n" + rest),
        ("many fields", "HTTP/1.1 200 OK\r\n" + (0..<300).map { "X-\($0): 1\r\n" }.joined() + rest),
        ("nothing at all", ""),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le"),
        ("empty lines first", "\r\n\r\n\r\nHTTP/1.1 200 OK\r\n" + rest),
    ]

    /// Answers whose body is bad: the head may have been passed on, then the exchange must be cut, not ended.
    static let badBodies: [Case] = chunks + lengthsThatLie

    private static let chunks: [Case] = [
        "g\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n",
        "9\r\nhello", "5\r\nhello\r\n1", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
        "5\r\nhello\r\n0\r\nSet-Cookie: a=b\r\n\r\n", "5\r\nhello\r\n0\r\nNoColon\r\n\r\n",
    ].map { (body: String) -> Case in ("chunks \(body.debugDescription)", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)") }

    private static let lengthsThatLie: [Case] = [
        ("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), ("no body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
    ]

    /// Unusual, but right: the name, the bytes, and the body that the client must read.
    static let goodNeighbours: [(String, String, String)] = [
        ("no reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", "{}"),
        ("an unknown status", "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\n{}", "{}"),
        ("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}"),
        ("until the end", "HTTP/1.1 200 OK\r\n\r\n{}", "{}"),
        ("trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Checksum: 1\r\n\r\n", "{}"),
        ("an interim answer", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "{}"),
        ("bytes beyond ASCII", "HTTP/1.1 200 OK\r\nX-A: \u{E4}\r\nContent-Length: 2\r\n\r\n{}", "{}"),
        ("two cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\n{}", "{}"),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""),
        ("an error", "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}", "{}"),
    ]
}
