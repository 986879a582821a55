/// A self-signed certificate.
package struct TestCertificate: Sendable {
    package let chain: String
    package let key: String
    /// The same as PEM files.
    package let chainFile: String
    package let keyFile: String
    private let folder: TemporaryFolder

    /// For `gateway.test`, `localhost` and 127.0.0.1; made once for all tests of a run.
    package static let gateway: Result<TestCertificate, any Error> = Result {
        try TestCertificate(["DNS:gateway.test", "DNS:localhost", "IP:127.0.0.1"])
    }

    /// Another one for the same names.
    package init() throws { try self.init(["DNS:gateway.test", "DNS:localhost", "IP:127.0.0.1"]) }

    /// For these subject alternative names as OpenSSL writes them.
    package init(_ names: [String]) throws {
        folder = try TemporaryFolder()
        let result = try ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                "/CN=gateway.test", "-addext", "subjectAltName=\(names.joined(separator: ","))", "-keyout",
                folder.path("gateway.key"), "-out", folder.path("gateway.pem"),
            ], in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "openssl req", errors: result.errors) }
        chain = folder.read("gateway.pem")
        key = folder.read("gateway.key")
        (chainFile, keyFile) = (folder.path("gateway.pem"), folder.path("gateway.key"))
    }
}
