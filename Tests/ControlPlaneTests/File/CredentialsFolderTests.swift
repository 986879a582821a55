import Foundation
import Policy
import Testing
import Tokens

@testable import ControlPlane

/// `credentials_dir`: the issuers of many tenants in files of their own.
@Suite("credentials_dir")
struct CredentialsFolderTests {
    private let workspace = FileWorkspace()
    private static let file = goodFile + "credentials_dir: issuers\n"

    init() throws {
        try FileManager.default.createDirectory(atPath: "\(workspace.folder)/issuers/keys", withIntermediateDirectories: true)
        workspace.write("issuers/keys/acme.pem", FileWorkspace.publicKey)
    }

    private func entry(_ issuer: String, tenants: String = "[acme]", more: String = "") -> String {
        """
        issuer: \(issuer)
        directory: rinne
        audience: [api]
        algorithms: [RS256]
        keys: {pem_file: keys/acme.pem}
        tenants: \(tenants)
        \(more)

        """
    }

    @Test("each file is one entry or a list of them, read in the order of names; other files are left alone")
    func forms() throws {
        workspace.write("issuers/b.yaml", entry("https://b.example"))
        workspace.write("issuers/a.yml", "- {\(entry("https://a1.example").split(separator: "\n").joined(separator: ", "))}\n")
        workspace.write("issuers/.hidden.yaml", "not: [an entry\n")
        workspace.write("issuers/notes.txt", "not: [an entry\n")
        let file = workspace.check(Self.file)
        let blocks = try #require(file.configuration).credentials
        let issuers = blocks.suffix(2).map { String(decoding: $0.issuer ?? [], as: UTF8.self) }
        #expect(issuers == ["https://a1.example", "https://b.example"])
        #expect(blocks.last?.boundTenants == [TenantID(Array("acme".utf8).span, format: .string)!])
    }

    @Test("mistakes are told with the file's name, line and column, all at once")
    func mistakes() {
        workspace.write("issuers/a.yaml", entry("https://a.example", more: "leewai: 3s"))
        workspace.write("issuers/b.yaml", entry("https://b.example").replacing("keys/acme.pem", with: "keys/none.pem"))
        workspace.write("issuers/c.yaml", "issuer: [\n")
        workspace.write("issuers/d.yaml", "nothing\n")
        let places = workspace.check(Self.file).problems.filter { $0.severity == .error }.map { problem in
            "\(problem.place.file.split(separator: "/").last ?? ""):\(problem.place.line):\(problem.place.column)"
        }
        #expect(places.sorted() == ["a.yaml:7:1", "b.yaml:5:18", "c.yaml:2:1", "d.yaml:1:1"])
    }

    @Test("an entry must list its tenants: whoever writes one file mustn't vouch for everybody")
    func tenantsAreRequired() {
        workspace.write("issuers/a.yaml", entry("https://a.example").replacing("tenants: [acme]\n", with: ""))
        let problem = workspace.check(Self.file).problems.first { $0.message.hasPrefix("`tenants` is missing") }
        #expect(problem?.place.line == 1)
        #expect(problem?.place.file.hasSuffix("issuers/a.yaml") == true)
    }

    @Test("one issuer in two files, or in a file and in `credentials`, is refused with both places")
    func sameIssuer() {
        workspace.write("issuers/a.yaml", entry("https://a.example"))
        workspace.write("issuers/b.yaml", entry("https://a.example"))
        let problem = workspace.check(Self.file).problems.first { $0.severity == .error }
        #expect(problem?.message.contains("twice, first at \(workspace.folder)/issuers/a.yaml:1") == true)
        #expect(problem?.place.file.hasSuffix("issuers/b.yaml") == true)
    }

    @Test("a folder that isn't there is an error at its key; an empty one is none")
    func folders() {
        #expect(workspace.check(Self.file).configuration != nil)
        let problem = workspace.check(goodFile + "credentials_dir: nowhere\n").problems.first { $0.severity == .error }
        #expect(problem?.message.contains("nowhere can't be read") == true)
        #expect(problem?.place.column == 18)
    }

    @Test("what was read is noted, so that a change of any of it is one")
    func inputs() {
        workspace.write("issuers/a.yaml", entry("https://a.example"))
        let inputs = workspace.check(Self.file).inputs
        #expect(inputs.now == inputs)
        workspace.write("issuers/b.yaml", entry("https://b.example"))
        #expect(inputs.changes(to: inputs.now) == ["\(workspace.folder)/issuers"])
        let second = workspace.check(Self.file).inputs
        workspace.write("issuers/keys/acme.pem", FileWorkspace.publicKey + "\n")
        #expect(second.changes(to: second.now) == ["\(workspace.folder)/issuers/keys/acme.pem"])
        #expect(second.credentialContents != second.now.credentialContents)
    }
}
