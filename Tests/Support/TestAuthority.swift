import Foundation

/// An authority of the tests' own, and what it vouches for.
package struct TestAuthority: Sendable {
    /// Its certificate as PEM.
    package let certificate: String
    private let files: TestCertificate
    private let folder: TemporaryFolder

    package init() throws {
        files = try TestCertificate(["DNS:authority.test"])
        certificate = files.chain
        folder = try TemporaryFolder()
    }

    /// A client's certificate and its key, as PEM files; `extensions` as OpenSSL writes them.
    package func issue(_ name: String, extensions: String = "extendedKeyUsage=clientAuth") throws -> (chain: String, key: String) {
        let (key, request, chain) = (folder.path("\(name).key"), folder.path("\(name).csr"), folder.path("\(name).pem"))
        try run(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)", "-keyout", key, "-out",
            request)
        let file = try folder.write("basicConstraints=CA:FALSE\n\(extensions)\n", to: "\(name).ext")
        try run(
            "x509", "-req", "-in", request, "-CA", files.chainFile, "-CAkey", files.keyFile, "-set_serial",
            "\(Int.random(in: 1...1 << 40))",
            "-days", "30", "-extfile", file, "-out", chain)
        return (chain, key)
    }

    /// One that expires after so many seconds.
    package func issue(_ name: String, seconds: Int) throws -> (chain: String, key: String) {
        let files = try issue(name)
        try folder.write(
            "[ca]\ndefault_ca=d\n[d]\nserial=\(folder.path("serial"))\ndatabase=\(folder.path("index"))\nnew_certs_dir=\(folder.url.path)\ndefault_md=sha256\npolicy=p\n"
                + "[p]\ncommonName=supplied\n", to: "ca.conf")
        try folder.write("", to: "index")
        try folder.write("01", to: "serial")
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyyMMddHHmmss'Z'"
        try run(
            "ca", "-batch", "-notext", "-config", folder.path("ca.conf"), "-cert", self.files.chainFile, "-keyfile",
            self.files.keyFile, "-in", folder.path("\(name).csr"), "-extfile", folder.path("\(name).ext"), "-enddate",
            format.string(from: Date(timeIntervalSinceNow: Double(seconds))), "-out", files.chain)
        return files
    }

    private func run(_ arguments: String...) throws {
        let result = try ChildProcess.run("openssl", arguments, in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "openssl", errors: result.errors) }
    }
}
