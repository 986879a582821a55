import Foundation
import FuzzChecks
import Testing

@Suite("fuzz corpus")
struct CorpusTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus")

    @Test("what fuzzing once found, and every beginning of it, breaks nothing", arguments: FuzzTarget.all)
    func replay(target: FuzzTarget) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpus.appending(path: target.name), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            for count in Set([0, bytes.count] + (0..<8).map { bytes.count * $0 / 8 }) {
                #expect(throws: Never.self, "\(file.lastPathComponent), \(count) bytes") { try target.check(Array(bytes[..<count])) }
            }
        }
    }

    @Test("every folder of the corpus has its check")
    func folders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
