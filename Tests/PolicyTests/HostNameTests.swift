import Policy
import Testing

/// Authorities (RFC 3986 §3.2), more strictly: one host, one spelling.
@Suite struct HostNameTests {
    private func read(_ authority: String) -> (host: String, port: UInt16?)? {
        let input = bytes(authority)
        guard let name = try? HostName(input.span) else { return nil }
        return (text(Array(input[name.host])), name.port)
    }

    @Test(
        "a host is read with its port",
        arguments: [
            ("example.com", "example.com", nil), ("API.Example.com:8443", "API.Example.com", 8443), ("localhost", "localhost", nil),
            ("a", "a", nil), ("user_service:80", "user_service", 80), ("x-1.example", "x-1.example", nil),
            ("1a.example", "1a.example", nil),
            ("127.0.0.1:9101", "127.0.0.1", 9101), ("0.0.0.0", "0.0.0.0", nil), ("255.255.255.255", "255.255.255.255", nil),
            ("[::]", "[::]", nil), ("[::1]:65535", "[::1]", 65535), ("[2001:db8::1]", "[2001:db8::1]", nil), ("[1::]:1", "[1::]", 1),
            ("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]", nil), ("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", nil),
            ("[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", nil), ("[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]", nil),
            ("1.2.3.com", "1.2.3.com", nil),
            ("a.0xg", "a.0xg", nil), ("xn--bcher-kva.example:01", "xn--bcher-kva.example", 1),
        ] as [(String, String, UInt16?)])
    func good(authority: String, host: String, port: UInt16?) {
        let name = read(authority)
        #expect(name?.host == host)
        #expect(name?.port == port)
    }

    @Test(
        "what is not exactly a host and perhaps a port is a bad request",
        arguments: [
            "", ":", ":80", "example.com:", "example.com:0", "example.com:65536", "example.com:123456", "example.com:+80",
            "example.com:80a",
            "example.com:80:80", "a:b", "user@example.com", "user:pw@example.com", "@", "example.com/", "example.com/a", "example.com?x",
            "example.com#x", "http://example.com", "example.com,evil.com", "example.com evil.com", " example.com", "example.com ",
            "exa%6Dple.com",
            "example.com.", ".example.com", "a..b", ".", "*", "*.example.com", "exämple.com", "a\tb", "a\u{0}", "a\\b", "a;b", "a!b",
            "127.1", "1", "0x7f.1", "0x7F000001", "127.0.0.01", "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.", "example.1", "0x", "foo.0x1",
            "[]", "[::1", "::1", "::1]", "[::1]x", "[::1]:", "[:::]", "[1]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1::2::3]",
            "[1:2:3:4:5:6:7:8::]", "[::12345]", "[g::]", "[::1%25eth0]", "[fe80::1%eth0]", "[v1.x]", "[:1]", "[1:]", "[::1.2.3]",
            "[::1.2.3.4:5]",
            "[::256.1.1.1]", "[1:2:3:4:5:6:7:1.2.3.4]", "[[::1]]", "[::1]@x", "127.0.0.1:", "example.com:80 ",
        ])
    func bad(authority: String) {
        #expect(throws: Denial.badRequest) { try HostName(bytes(authority).span) }
    }

    @Test("names and labels have DNS' bounds")
    func bounds() {
        let label = String(repeating: "a", count: Limits.hostLabel)
        #expect(read(label + ".com") != nil)
        #expect(read(label + "a.com") == nil)
        let name = String(repeating: "a.", count: Limits.hostName / 2) + "b"
        #expect(name.utf8.count == Limits.hostName)
        #expect(read(name) != nil)
        #expect(read("c" + name) == nil)
    }
}
