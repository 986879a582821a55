import Foundation
import Testing

@testable import ControlPlane

/// Writes what is made from the declarations into the repository, when asked to: `TENANTGATE_REGENERATE=1 swift test --filter Regeneration`.
@Suite("Regeneration")
struct RegenerationTests {
    @Test(
        "schemas and reference are written where they are committed",
        .enabled(if: ProcessInfo.processInfo.environment["TENANTGATE_REGENERATE"] == "1"))
    func write() throws {
        let root = URL(fileURLWithPath: FileWorkspace.root)
        try FileSchema.file.write(to: root.appendingPathComponent("config/tenantgate.schema.json"), atomically: false, encoding: .utf8)
        try FileSchema.dialect.write(to: root.appendingPathComponent("config/dialect.schema.json"), atomically: false, encoding: .utf8)
        try AdminDocument.text.write(to: root.appendingPathComponent("config/admin-api.json"), atomically: false, encoding: .utf8)
        try FileSchema.credentials.write(
            to: root.appendingPathComponent("config/credentials.schema.json"), atomically: false, encoding: .utf8)
        let readme = root.appendingPathComponent("README.md")
        let (start, end) = ("<!-- reference -->\n", "\n<!-- /reference -->")
        let old = (try? String(contentsOf: readme, encoding: .utf8)) ?? "\(start)\(end)\n"
        let head = try #require(old.range(of: start))
        let tail = try #require(old.range(of: end))
        let new = old[..<head.upperBound] + ReferenceTable.markdown + old[tail.lowerBound...]
        try String(new).write(to: readme, atomically: false, encoding: .utf8)
    }
}
