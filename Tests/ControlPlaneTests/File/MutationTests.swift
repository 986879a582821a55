import Testing

@testable import ControlPlane

@Suite("Mutated files")
struct MutationTests {
    /// A small linear congruential generator (Knuth's MMIX), so that a seed names a case for ever.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test("whatever is cut, doubled, swapped or put in, a file is refused by an error or taken, never anything else", arguments: 0..<8)
    func mutations(seed: Int) {
        var random = Seeded(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        let workspace = FileWorkspace()
        let pieces = [
            "{", "}", "[", "]", ": ", "- ", "\n", "  ", "\"", "*", "&a ", "<<", "!!x ", "#", "null", "true", "-1", "99999999999", "é",
            "\u{0}", "?",
        ]
        for _ in 0..<60 {
            var text = Array(goodFile.unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<text.count, using: &random)
                let end = min(text.count, at + Int.random(in: 1...12, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text.removeSubrange(at..<end)
                case 1: text.insert(contentsOf: text[at..<end], at: Int.random(in: 0...text.count, using: &random))
                case 2: text.swapAt(at, Int.random(in: 0..<text.count, using: &random))
                default: text.insert(contentsOf: pieces.randomElement(using: &random)!.unicodeScalars, at: at)
                }
            }
            var mutated = String.UnicodeScalarView()
            mutated.append(contentsOf: text)
            let file = Configuration.read(Array(String(mutated).utf8), path: "\(workspace.folder)/gateway.yaml")
            let errors = file.problems.filter { $0.severity == .error }
            #expect(errors.isEmpty == (file.configuration != nil), "\(String(mutated))")
            #expect(file.problems.allSatisfy { !$0.message.isEmpty && !$0.remedy.isEmpty && $0.place.line >= 1 && $0.place.column >= 1 })
        }
    }
}
