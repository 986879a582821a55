import Foundation
import Testing

@testable import ControlPlane

/// The schema and the reference are made from the declarations; what is committed must be what is made.
@Suite("Schema and reference")
struct SchemaTests {
    @Test("the committed schemas are those of the declarations")
    func schemasAreCurrent() {
        #expect(FileWorkspace.repository("config/tenantgate.schema.json") == FileSchema.file)
        #expect(FileWorkspace.repository("config/dialect.schema.json") == FileSchema.dialect)
        #expect(FileWorkspace.repository("config/credentials.schema.json") == FileSchema.credentials)
        #expect(FileWorkspace.repository("config/admin-api.json") == AdminDocument.text)
    }

    @Test("README holds the reference of the declarations")
    func referenceIsCurrent() throws {
        let readme = FileWorkspace.repository("README.md")
        let start = try #require(readme.range(of: "<!-- reference -->\n"))
        let end = try #require(readme.range(of: "\n<!-- /reference -->"))
        #expect(String(readme[start.upperBound..<end.lowerBound]) == ReferenceTable.markdown)
    }

    @Test("the schema's keys are exactly the declared ones", arguments: [RootSection.shape.name, DialectFile.shape.name])
    func keysAgree(root: String) throws {
        let (shape, text) = root == "file" ? (RootSection.shape, FileSchema.file) : (DialectFile.shape, FileSchema.dialect)
        let schema = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        let shapes = FileSchema.shapes(from: shape)
        #expect(Set(definitions.keys) == Set(shapes.map(\.name)))
        for shape in shapes {
            let properties = try #require(definitions[shape.name]?["properties"] as? [String: Any])
            #expect(Set(properties.keys) == Set(shape.keys.map(\.name)), "\(shape.name)")
            #expect(definitions[shape.name]?["additionalProperties"] as? Bool == false)
        }
    }

    @Test("no key is declared twice, nor both declared and left to a later version")
    func keysAreDistinct() {
        for shape in FileSchema.shapes(from: RootSection.shape) + FileSchema.shapes(from: DialectFile.shape) {
            let names = shape.keys.map(\.name)
            #expect(Set(names).count == names.count, "\(shape.name)")
            #expect(Set(names).isDisjoint(with: shape.later), "\(shape.name)")
            #expect(shape.keys.allSatisfy { !$0.meaning.isEmpty && $0.meaning.hasSuffix(".") }, "\(shape.name)")
        }
    }

    @Test("a JSON Schema validator takes the good files and refuses wrong types and unknown keys")
    func validatorAgrees() throws {
        let bad = [
            "version: 1\n", goodFile.replacing("limits:", with: "limit:"), goodFile.replacing("8KiB", with: "8KB"),
            goodFile.replacing("[POST]", with: "post"),
        ]
        let good = ["config/tenantgate.yaml", "config/minimal.yaml"].map(FileWorkspace.repository) + [goodFile]
        let dialects = ["config/dialects/jitsudo.yaml", "config/dialects/rinne.yaml"].map(FileWorkspace.repository)
        guard let verdicts = try validate((good + bad).map { (FileSchema.file, $0) } + dialects.map { (FileSchema.dialect, $0) }) else {
            return  // no Python with jsonschema on this machine: the tests above still hold schema and declarations together
        }
        try #require(verdicts.count == good.count + bad.count + dialects.count)
        for verdict in verdicts.prefix(good.count) + verdicts.suffix(dialects.count) { #expect(verdict.isEmpty) }
        for (text, verdict) in zip(bad, verdicts[good.count...]) { #expect(!verdict.isEmpty, "\(text)") }
    }

    /// One line per document, empty where it is valid; nil where there is no validator.
    private func validate(_ documents: [(schema: String, yaml: String)]) throws -> [String]? {
        let lines = documents.map { document in
            let node = YAMLDocument.read(document.yaml, file: "", problems: ProblemList())
            return "[\(document.schema), \(node?.json.text() ?? "null")]"
        }
        let script = """
            import json, sys
            try:
                from jsonschema import Draft202012Validator
            except ImportError:
                sys.exit(3)
            for schema, document in json.load(sys.stdin):
                Draft202012Validator.check_schema(schema)
                print("; ".join(e.message.replace("\\n", " ")[:200] for e in Draft202012Validator(schema).iter_errors(document)))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
        guard (try? process.run()) != nil else { return nil }
        try input.fileHandleForWriting.write(contentsOf: Data("[\(lines.joined(separator: ","))]".utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 3 || process.terminationStatus == 127 { return nil }
        #expect(process.terminationStatus == 0, "\(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))")
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
