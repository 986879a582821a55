/// A self-signed certificate for `gateway.test`, `localhost` and 127.0.0.1, made once for all tests of a run.
package struct TestCertificate: Sendable {
    package let chain: String
    package let key: String

    package static let gateway: Result<TestCertificate, any Error> = Result { try TestCertificate() }

    /// Another one for the same names.
    package init() throws {
        let folder = try TemporaryFolder()
        let result = try ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                "/CN=gateway.test", "-addext", "subjectAltName=DNS:gateway.test,DNS:localhost,IP:127.0.0.1", "-keyout",
                folder.path("gateway.key"), "-out", folder.path("gateway.pem"),
            ], in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "openssl req", errors: result.errors) }
        chain = folder.read("gateway.pem")
        key = folder.read("gateway.key")
    }
}
