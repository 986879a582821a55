import Testing

@testable import Policy

@Suite("addresses that are fetched") struct FetchURLTests {
    @Test(
        "an address is read into what is connected to and what is asked for",
        arguments: [
            ("https://id.example", true, "id.example", 443, "/", "id.example"),
            ("HTTPS://ID.example/Keys", true, "id.example", 443, "/Keys", "id.example"),
            ("https://id.example:8443/a/b?c=d", true, "id.example", 8443, "/a/b?c=d", "id.example:8443"),
            ("https://id.example?c=d", true, "id.example", 443, "/?c=d", "id.example"),
            ("https://id.example:443/", true, "id.example", 443, "/", "id.example"),
            ("https://[2001:DB8::1]:8443/k", true, "2001:db8::1", 8443, "/k", "[2001:db8::1]:8443"),
            ("http://127.0.0.1:9000/k", false, "127.0.0.1", 9000, "/k", "127.0.0.1:9000"),
            ("http://localhost/k", false, "localhost", 80, "/k", "localhost"), ("http://[::1]/k", false, "::1", 80, "/k", "[::1]"),
        ])
    func good(text: String, isSecure: Bool, host: String, port: Int, target: String, authority: String) throws {
        let url = try FetchURL(text)
        #expect(url.isSecure == isSecure && url.host == host && Int(url.port) == port && url.target == target)
        #expect(url.authority == authority)
        #expect(url.isAddress == ["127.0.0.1", "::1", "2001:db8::1"].contains(host))
    }

    @Test(
        "everything else is refused",
        arguments: [
            ("", .malformed), ("/keys", .malformed), ("id.example/keys", .malformed), ("https:/id.example", .malformed),
            ("https://", .malformed), ("https://me@id.example/", .malformed), ("https://id.example/#x", .malformed),
            ("https://id.example:0/", .malformed), ("https://id.example:99999/", .malformed), ("https://id.example./", .malformed),
            ("https://id.example/a b", .malformed), ("https://id.example/\r\nX: y", .malformed), ("https://id.example/é", .malformed),
            ("https://0x7f.1/", .malformed), ("https://\\id.example/", .malformed),
            ("https://id.example/" + String(repeating: "a", count: 2048), .malformed),
            ("http://id.example/keys", .insecure), ("http://127.evil.example/", .insecure), ("http://localhost.example/", .insecure),
            ("http://10.0.0.1/", .insecure), ("http://[::2]/", .insecure), ("file://localhost/etc/passwd", .insecure),
            ("ftp://127.0.0.1/", .insecure),
        ] as [(String, FetchURLError)])
    func bad(text: String, error: FetchURLError) {
        #expect(throws: error) { try FetchURL(text) }
    }

    @Test("a query is not shown")
    func shown() throws {
        #expect(try FetchURL("https://id.example:8443/k?secret=1").shown == "https://id.example:8443/k")
    }
}
