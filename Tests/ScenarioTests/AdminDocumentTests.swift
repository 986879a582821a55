import Foundation
import TestSupport
import Testing

/// The API's document, held against what the server does: every path, method, status and shape.
@Suite("the admin API's document", .serialized, .timed)
struct AdminDocumentTests {
    /// A request for each operation, and the status that it gets.
    private static let samples: [(method: String, path: String, body: String?, status: Int)] = [
        ("GET", "/api/status", nil, 200), ("GET", "/api/routes", nil, 200), ("GET", "/api/upstreams", nil, 200),
        ("GET", "/api/keys", nil, 200), ("GET", "/api/metrics", nil, 200),
        ("POST", "/api/suspensions", TestAdmin.wish("rinne", "usr_ben"), 200),
        ("POST", "/api/suspensions", TestAdmin.wish("jitsudo", tenant: TestIssuers.acme, TestIssuers.acmeMember), 200),
        ("POST", "/api/suspensions", TestAdmin.wish("jitsudo", "ben"), 400),
        ("GET", "/api/suspensions", nil, 200), ("GET", "/api/suspensions?limit=1", nil, 200), ("GET", "/api/suspensions?limit=x", nil, 400),
        ("GET", "/api/unconfirmed", nil, 200), ("GET", "/api/suspensions/export", nil, 200),
        ("GET", "/api/log", nil, 200), ("GET", "/api/log?after=1&limit=1", nil, 200),
        ("POST", "/api/suspensions/lift", TestAdmin.wish("rinne", "usr_ben"), 200),
        ("POST", "/api/suspensions/lift", TestAdmin.wish("rinne", "usr_ben"), 409),
        ("POST", "/api/suspensions/import", #"{"directory":"rinne","user":"a"}"#, 200), ("POST", "/api/suspensions/import", "x", 400),
        ("GET", "/api/reconcile", nil, 200), ("POST", "/api/reconcile?apply=true", nil, 400), ("POST", "/api/reload", nil, 200),
        ("GET", "/api/openapi.json", nil, 200),
    ]

    @Test("every operation answers as it says, refuses who has no token, and there is nothing else")
    func everyOperation() throws {
        let world = try World { $0.admin = true }
        // What the upstreams and keys say of themselves, and a call whose outcome is unknown, so that no list is empty.
        try world.rinne.arm(#"{"kind":"drop"}"#)
        _ = try world.gateway.ask(Dialect.rinne.setActive(false, "usr_mia"))
        let document = try #require(try world.gateway.admin("GET", "/api/openapi.json").json)
        #expect(document["openapi"] as? String == "3.1.0")
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let checker = ShapeChecker(document)
        var seen: Set<String> = []
        for sample in Self.samples {
            let path = String(sample.path.prefix { $0 != "?" })
            let operation = try #require(paths[path]?[sample.method.lowercased()], "\(sample.method) \(path) is not in the document")
            let content = (operation["requestBody"] as? [String: Any])?["content"] as? [String: Any]
            let answer = try world.gateway.admin(sample.method, sample.path, type: content?.keys.first ?? "", body: sample.body)
            #expect(answer.status == sample.status, "\(sample.method) \(sample.path): \(answer.status) \(answer.text)")
            let responses = try #require(operation["responses"] as? [String: [String: Any]])
            let response = try #require(responses["\(answer.status)"], "\(sample.path): \(answer.status) is not in the document")
            let types = response["content"] as? [String: [String: Any]] ?? [:]
            let type = try #require(answer.field("content-type"))
            let schema = try #require(types[type]?["schema"], "\(sample.path): \(type) is not in the document")
            if type == "application/json" {
                #expect(checker.faults(of: try #require(answer.json), by: schema, at: sample.path) == [])
            } else {
                for line in answer.text.split(separator: "\n") {
                    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                    #expect(checker.faults(of: object, by: ["$ref": "#/components/schemas/Suspension"], at: sample.path) == [])
                }
            }
            let refused = try world.gateway.admin(
                sample.method, sample.path, token: nil, type: content?.keys.first ?? "", body: sample.body)
            #expect(refused.status == 401 && responses["401"] != nil)
            #expect(checker.faults(of: refused.json ?? [:], by: ["$ref": "#/components/schemas/Error"], at: "401") == [])
            seen.insert("\(sample.method.lowercased()) \(path)")
        }
        let documented = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
        #expect(seen == documented, "every operation has a sample")
        for (path, methods) in paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] where methods[method.lowercased()] == nil {
                let answer = try world.gateway.admin(method, path)
                #expect(answer.status == 405, "\(method) \(path): \(answer.status)")
            }
        }
    }
}

/// As much of JSON Schema as the document uses.
private struct ShapeChecker {
    private let schemas: [String: Any]

    init(_ document: [String: Any]) {
        schemas = ((document["components"] as? [String: Any])?["schemas"] as? [String: Any]) ?? [:]
    }

    func faults(of value: Any, by schema: Any, at place: String) -> [String] {
        guard let schema = schema as? [String: Any] else { return ["\(place): no schema"] }
        if let reference = schema["$ref"] as? String {
            return faults(of: value, by: schemas[String(reference.split(separator: "/").last ?? "")] ?? "", at: place)
        }
        if let either = schema["anyOf"] as? [Any] {
            return either.contains { faults(of: value, by: $0, at: place).isEmpty } ? [] : ["\(place): none of anyOf"]
        }
        if let words = schema["enum"] as? [String], !words.contains(value as? String ?? "") {
            return ["\(place): \(value) is none of \(words)"]
        }
        switch schema["type"] as? String {
        case "string": return value is String ? [] : ["\(place): no string"]
        case "integer":
            return (value as? NSNumber).map { $0.doubleValue >= 0 && $0.doubleValue == $0.doubleValue.rounded() } == true
                ? [] : ["\(place): no count"]
        case "boolean": return value is Bool ? [] : ["\(place): no boolean"]
        case "null": return value is NSNull ? [] : ["\(place): not null"]
        case "array":
            guard let array = value as? [Any] else { return ["\(place): no array"] }
            return array.enumerated().flatMap { faults(of: $1, by: schema["items"] ?? "", at: "\(place)[\($0)]") }
        case "object": return objectFaults(value, schema, place)
        default: return ["\(place): a type that is unknown here"]
        }
    }

    private func objectFaults(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        guard let object = value as? [String: Any] else { return ["\(place): no object"] }
        guard let properties = schema["properties"] as? [String: Any] else { return [] }
        let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map { "\(place): \($0) is missing" }
        let wrong = object.flatMap { name, member in
            properties[name].map { faults(of: member, by: $0, at: "\(place).\(name)") } ?? ["\(place): \(name) is not in the document"]
        }
        return missing + wrong
    }
}
