import Testing

@testable import Suspensions

@Suite("content types")
struct MediaTypeTests {
    @Test(
        "JSON in UTF-8 is recognised, and so is a missing field",
        arguments: [
            nil, "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
            "application/json ; charset=\"utf-8\"",
            "application/json; charset=us-ascii", "application/json;", "application/problem+json", "application/vnd.api+json; version=2",
            "application/hal+JSON",
            "text/x+json", "\tapplication/json ",
        ] as [String?])
    func json(field: String?) {
        #expect(isJSONType(field.map { Array($0.utf8) }))
    }

    @Test(
        "everything else is not JSON",
        arguments: [
            "", " ", ";", "text/html", "text/plain", "text/json", "application/javascript", "application/json-seq", "application/jsonp",
            "application/x-json",
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream",
            "application/json, text/html",
            "text/html, application/json", "application/json, application/json", "application/json; charset=utf-16",
            "application/json; charset=iso-8859-1",
            "application/json; charset", "application/json; charset=", "application/json; =utf-8", "application/json charset=utf-8", "json",
            "application", "/json", "application/",
            "application/+json", "+json", "application/x+jsonx", "application/ json", "*/*", "application/cbor", "application/xml+json/x",
            "application/json\u{0}",
        ])
    func others(field: String) {
        #expect(!isJSONType(Array(field.utf8)))
    }
}
