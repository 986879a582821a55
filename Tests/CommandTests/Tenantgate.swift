import TestSupport

/// The real `tenantgate`, run to its end in a folder of its own.
struct Tenantgate {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("tenantgate-commands") }

    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

    func run(_ arguments: [String]) throws -> Outcome {
        let result = try ChildProcess.run(try BuildProducts.program("tenantgate").path, arguments, in: folder)
        return Outcome(status: result.status, output: result.output, errors: result.errors)
    }

    /// A gateway's file in the folder with everything that it names; nothing runs behind it.
    func writeFile(_ edit: (inout GatewayFile) -> Void = { _ in }) throws -> String {
        var file = GatewayFile(jitsudo: 1, rinne: 2)
        edit(&file)
        return try file.write(to: folder)
    }
}
