import Testing

@testable import Policy

@Suite("An origin in the file")
struct WebOriginTests {
    @Test(
        "is taken as browsers write it",
        arguments: [
            "https://app.example", "http://localhost", "http://localhost:3000", "https://app.example:8443", "https://[2001:db8::1]:8443",
            "http://127.0.0.1:8080", "capacitor://localhost", "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "https://xn--bcher-kva.example",
        ])
    func good(origin: String) {
        #expect(WebOrigin.problem(origin) == nil)
    }

    @Test(
        "is refused in every other form",
        arguments: [
            "", "app.example", "//app.example", "https:app.example", "https://", "https://app.example/", "https://app.example/path",
            "https://app.example?x", "https://app.example#x", "https://user@app.example", "https://app.example:0",
            "https://app.example:99999", "https://*.app.example", "https://app.example, https://b.example", "https://app.example.",
            "https://bücher.example", "1https://app.example", "https://app.example\r\nX: y", "https:// app.example", "*", "null",
        ])
    func bad(origin: String) {
        #expect(WebOrigin.problem(origin) != nil)
    }

    @Test("in another spelling gets the one that browsers send as its remedy")
    func spellings() {
        for (written, normal) in [
            ("HTTPS://App.Example", "https://app.example"), ("https://app.example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"), ("https://app.example:0443", "https://app.example"),
        ] {
            #expect(WebOrigin.problem(written)?.fix.contains("`\(normal)`") == true, "\(written)")
        }
    }
}
