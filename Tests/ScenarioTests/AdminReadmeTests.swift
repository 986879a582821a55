import Foundation
import TestSupport
import Testing

/// What README tells a program's author to type at the admin listener, typed.
@Suite("README's lines for the admin API", .serialized, .timed)
struct AdminReadmeTests {
    @Test("they make the header's file for nobody else to read, ask, and suspend")
    func curl() throws {
        let world = try World { $0.admin = true }
        let readme = try String(contentsOf: BuildProducts.repository.appending(path: "README.md"), encoding: .utf8)
        let begun = try #require(readme.split(separator: "By program: ", maxSplits: 1).last)
        let block = try #require(begun.split(separator: "```sh\n", maxSplits: 1).last?.split(separator: "```", maxSplits: 1).first)
        let lines = String(block).replacing("127.0.0.1:9901", with: "127.0.0.1:\(try world.gateway.adminPort())")
            .replacing("secrets/admin.token", with: "secrets/ops.token")
            .replacing(#""tenant":"…","user":"…""#, with: #""tenant":"\#(TestIssuers.acme)","user":"\#(TestIssuers.acmeMember)""#)
        #expect(lines.split(separator: "\n").count == 4, "\(lines)")
        let run = try ChildProcess.run("sh", ["-e", "-c", "cd '\(world.folder.path("."))'\n" + lines], in: world.folder)
        #expect(run.status == 0 && run.output.contains(#""ready":true"#) && run.output.contains(#""changed":true"#), "\(run)")
        let mode = try FileManager.default.attributesOfItem(atPath: world.folder.path("ops"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try world.isBlocked(TestIssuers.acmeMember, .jitsudo) == true)
    }
}
