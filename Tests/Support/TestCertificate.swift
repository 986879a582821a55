import COpenSSL

/// A certificate, self-signed or signed by another.
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
    package init(_ names: [String], issuer: TestCertificate? = nil) throws {
        folder = try TemporaryFolder()
        let result = try ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                "/CN=gateway.test", "-addext", "subjectAltName=\(names.joined(separator: ","))", "-keyout",
                folder.path("gateway.key"), "-out", folder.path("gateway.pem"),
            ] + (issuer.map { ["-CA", $0.chainFile, "-CAkey", $0.keyFile] } ?? []), in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "openssl req", errors: result.errors) }
        chain = folder.read("gateway.pem")
        key = folder.read("gateway.key")
        (chainFile, keyFile) = (folder.path("gateway.pem"), folder.path("gateway.key"))
    }

    /// The same, signed by itself, valid between these times (seconds from now). Before its first use.
    package func valid(from start: Int, to end: Int) -> TestCertificate {
        let certificate = unsafe PEM_read_bio_X509(BIO_new_file(chainFile, "r"), nil, nil, nil)
        let signer = unsafe PEM_read_bio_PrivateKey(BIO_new_file(keyFile, "r"), nil, nil, nil)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), start)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), end)
        unsafe X509_sign(certificate, signer, EVP_sha256())
        let file = unsafe BIO_new_file(chainFile, "w")
        unsafe PEM_write_bio_X509(file, certificate)
        unsafe BIO_free(file)
        return self
    }
}
