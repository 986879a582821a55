import StrictJSON
import Testing

@Suite("questions to a document")
struct NavigationTests {
    static let text = #"""
        {"id":"8D1F","name":"A\u006e\u006E \"\/\\\b\f\n\r\t\u00e9€\ud83d\ude00","roles":["admin", "viewer" ,[],{}],
         "org":{"id":42,"a]}b":{"deep":[{"x":[1,2.5]}]}},"empty":"","on":true,"off":false,"none":null,
         "n\u0061me2":-1.5e3,"long":"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"aaaaaaaaaaaaaaaaaaaaa\\","last":17}
        """#

    let document: JSONDocument

    init() throws { document = try JSONDocument(Array(Self.text.utf8)) }

    private func string(_ steps: String...) -> String? {
        guard let value = document.value(at: steps.map { Array($0.utf8) }), let bytes = document.string(value) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("strings come unescaped")
    func strings() {
        #expect(string("id") == "8D1F")
        #expect(string("name") == "Ann \"/\\\u{8}\u{C}\n\r\té€😀")
        #expect(string("empty") == "")
        #expect(string("roles", "1") == "viewer")
        #expect(string("on") == nil)
        #expect(string("org") == nil)
    }

    @Test("a string is compared with what it means")
    func comparison() throws {
        let name = try #require(document.member("name", of: document.root))
        #expect(document.isString(name, "Ann \"/\\\u{8}\u{C}\n\r\té€😀"))
        #expect(!document.isString(name, "Ann"))
        #expect(!document.isString(name, "Ann \"/\\\u{8}\u{C}\n\r\te\u{301}€😀"))
        let id = try #require(document.member("id", of: document.root))
        func isID(_ text: String) -> Bool { document.isString(id, Array(text.utf8).span) }
        #expect(isID("8D1F"))
        #expect(!isID("8D1"))
        #expect(!isID("8D1F0"))
        #expect(!document.isString(id, "8d1f"))
        let last = try #require(document.member("last", of: document.root))
        #expect(!document.isString(last, "17"))
    }

    @Test(
        "an escape is never taken for the bytes that it is written with",
        arguments: [#"\n"#, #"\\"#, #"\u00e9"#, #"a\tb"#, #"\ud83d\ude00"#])
    func rawEscapes(written: String) throws {
        let document = try JSONDocument(Array("\"\(written)\"".utf8))
        #expect(!document.isString(document.root, written))
        let meant = try #require(document.string(document.root))
        #expect(document.isString(document.root, String(decoding: meant, as: UTF8.self)))
    }

    @Test("steps lead through objects by name and through arrays by index")
    func steps() throws {
        let place = ["org", "a]}b", "deep", "0", "x", "1"].map { Array($0.utf8) }
        let value = try #require(document.value(at: place))
        #expect(document.number(value) == .fraction(2.5))
        #expect(document.value(at: []) == document.root)
        let org = try #require(document.member("org", of: document.root))
        let id = try #require(document.value(at: [Array("id".utf8)], from: org))
        #expect(document.number(id) == .integer(42))
        #expect(Array(document.text(id)) == Array("42".utf8))
    }

    @Test(
        "a step that leads nowhere is nil",
        arguments: [
            ["nothing"], ["ID"], ["roles", "4"], ["roles", "01"], ["roles", "-1"], ["roles", "-"], ["roles", ""],
            ["roles", "9999999999999999999"],
            ["id", "0"], ["none", "x"], ["last", "1"], ["org", "deep"], ["roles", "0", "0"], ["", ""],
        ])
    func nowhere(steps: [String]) {
        #expect(document.value(at: steps.map { Array($0.utf8) }) == nil)
    }

    @Test("every kind is told apart, behind a long string with escapes too")
    func kinds() {
        let kinds: [(String, JSONValue.Kind)] = [
            ("id", .string), ("roles", .array), ("org", .object), ("on", .true), ("off", .false), ("none", .null), ("name2", .number),
            ("long", .string), ("last", .number),
        ]
        for (name, kind) in kinds { #expect(document.member(name, of: document.root)?.kind == kind, "\(name)") }
        #expect(document.member("on", of: document.root).flatMap(document.bool) == true)
        #expect(document.member("off", of: document.root).flatMap(document.bool) == false)
        #expect(document.member("none", of: document.root).flatMap(document.bool) == nil)
    }

    @Test("elements and members come in order, and the walk ends where it is told to")
    func walks() throws {
        var names: [String] = []
        document.forEachMember(of: document.root) { name, _ in
            names.append(String(decoding: document.string(name)!, as: UTF8.self))
            return true
        }
        #expect(names == ["id", "name", "roles", "org", "empty", "on", "off", "none", "name2", "long", "last"])
        let roles = try #require(document.member("roles", of: document.root))
        var kinds: [JSONValue.Kind] = []
        document.forEachElement(of: roles) { element in
            kinds.append(element.kind)
            return kinds.count < 3
        }
        #expect(kinds == [.string, .string, .array])
        document.forEachMember(of: roles) { _, _ in
            Issue.record("an array has no members")
            return true
        }
        document.forEachElement(of: document.root) { _ in
            Issue.record("an object has no elements")
            return true
        }
    }

    @Test("a walk passes on what its body throws")
    func throwing() {
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try document.forEachMember(of: document.root) { (_, _) throws(Enough) -> Bool in throw Enough() }
        }
    }
}
