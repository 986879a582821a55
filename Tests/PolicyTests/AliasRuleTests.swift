import Testing

@testable import Policy

@Suite("rules of aliases")
struct AliasRuleTests {
    private func rule(folds: Bool, name: String = "email", condition: AliasRule.Condition = .always) -> AliasRule {
        AliasRule(name: name, field: JSONPointer("/email")!, condition: condition, foldsCase: folds)
    }

    private func value(_ text: [UInt8], folds: Bool = true) -> [UInt8]? { rule(folds: folds).value(text.span) }

    @Test(
        "ASCII letters are folded and nothing else: no look-alike becomes somebody's address",
        arguments: [
            ("Ben@ACME.example", "ben@acme.example"), ("BEN@acme.example", "ben@acme.example"),
            // The Kelvin sign, the long s, the dotless and the dotted i, a full-width letter, German sharp s.
            ("ben@\u{212A}iosk.example", "ben@\u{212A}iosk.example"), ("\u{017F}am@acme.example", "\u{017F}am@acme.example"),
            ("\u{0131}@acme.example", "\u{0131}@acme.example"), ("\u{0130}@acme.example", "\u{0130}@acme.example"),
            ("\u{FF22}en@acme.example", "\u{FF22}en@acme.example"), ("stra\u{00DF}e@acme.example", "stra\u{00DF}e@acme.example"),
            // Composed and decomposed are two.
            ("\u{C9}va@acme.example", "\u{C9}va@acme.example"), ("E\u{301}va@acme.example", "e\u{301}va@acme.example"),
            ("@[`{", "@[`{"), ("ben+x@acme.example ", "ben+x@acme.example "),
        ])
    func folding(text: String, folded: String) {
        #expect(value(Array(text.utf8)) == Array(folded.utf8))
        #expect(value(Array(text.utf8), folds: false) == Array(text.utf8))
    }

    @Test("nothing, too much, controls and malformed text are no aliases")
    func refused() {
        for bytes in [[], [0], Array("a\nb".utf8), [0x7F], [0xC3], [0xED, 0xA0, 0x80], Array(repeating: 0x61, count: Limits.idBytes + 1)] {
            #expect(value(bytes) == nil && value(bytes, folds: false) == nil)
        }
        #expect(value(Array(repeating: 0x61, count: Limits.idBytes)) != nil)
    }

    @Test("rules that differ in anything keep their aliases apart")
    func kinds() {
        let rules = [
            rule(folds: true), rule(folds: false), rule(folds: true, name: "mail"),
            rule(folds: true, condition: .field(JSONPointer("/email_verified")!)),
            rule(folds: true, condition: .field(JSONPointer("/a~1b")!)),
            AliasRule(name: "email", field: JSONPointer("/mail")!, condition: .always, foldsCase: true),
        ]
        #expect(Set(rules.map(\.kind)).count == rules.count && Set(rules).count == rules.count)
        #expect(JSONPointer("/a~1b/~0c")?.text == "/a~1b/~0c")
    }
}
