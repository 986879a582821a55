import Testing

@testable import ControlPlane

@Suite("Alias floods")
struct AliasFloodTests {
    @Test("aliases that double forty times are refused at once, at the first of them")
    func flood() {
        let levels = (1..<40).map { "l\($0): &l\($0) [*l\($0 - 1), *l\($0 - 1)]\n" }.joined()
        let problems = ProblemList()
        #expect(YAMLDocument.read("l0: &l0 [x, x]\n\(levels)? *l39\n: 1\n", file: "f", problems: problems) == nil)
        #expect(problems.all.map(\.message) == ["aliases (*name) are not taken in this file"])
        #expect(problems.all.map(\.place) == [Place(file: "f", line: 2, column: 10)])
    }

    @Test("patterns, hosts and comments are none", arguments: ["a: /v1/**", "a: [\"*.example.com\", '*']", "# * a\n# ** b"])
    func harmless(text: String) {
        let text = Array(repeating: text, count: 20).joined(separator: "\n") + "\nb: x & y"
        #expect(AliasFlood.place(in: text, file: "f") == nil)
    }
}
