import COpenSSL
import TLS
import TestSupport

/// A self-signed certificate and its key in files of their own.
struct Identity: Sendable {
    let chain: String
    let key: String

    enum Kind: String, Sendable {
        case ecdsa = "ec"
        case rsa = "rsa:2048"
        case weak = "rsa:1024"
    }

    /// For these DNS names and addresses (`IP:…`); signed by itself, or by `issuer`.
    init(_ names: [String], kind: Kind = .ecdsa, issuer: Identity? = nil, in folder: TemporaryFolder = shared) throws {
        let file = "\(names.first?.replacing(":", with: "-") ?? "none")-\(kind)-\(UInt32.random(in: 0...UInt32.max))".replacing(
            "*", with: "any")
        chain = folder.path("\(file).pem")
        key = folder.path("\(file).key")
        let curve = kind == .ecdsa ? ["-pkeyopt", "ec_paramgen_curve:prime256v1"] : []
        let alternatives =
            names.isEmpty
            ? [] : ["-addext", "subjectAltName=" + names.map { $0.hasPrefix("IP:") ? $0 : "DNS:\($0)" }.joined(separator: ",")]
        let result = try ChildProcess.run(
            "openssl",
            ["req", "-x509", "-newkey", kind.rawValue, "-nodes", "-subj", "/CN=test", "-days", "30", "-keyout", key, "-out", chain] + curve
                + alternatives + (issuer.map { ["-CA", $0.chain, "-CAkey", $0.key] } ?? []), in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "openssl req", errors: result.errors) }
    }

    var files: TLSServerConfiguration.Certificate { .init(chain: chain, key: key) }

    /// The same certificate, valid between these times (seconds from now).
    func valid(from start: Int, to end: Int) -> Identity {
        let certificate = unsafe PEM_read_bio_X509(BIO_new_file(chain, "r"), nil, nil, nil)
        let signer = unsafe PEM_read_bio_PrivateKey(BIO_new_file(key, "r"), nil, nil, nil)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), start)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), end)
        unsafe X509_sign(certificate, signer, EVP_sha256())
        let file = unsafe BIO_new_file(chain, "w")
        unsafe PEM_write_bio_X509(file, certificate)
        unsafe BIO_free(file)
        return self
    }

    /// The folder of all identities of a run.
    static let shared = try! TemporaryFolder("tenantgate-tls")

    // Made once: three programs' worth of time for all tests.
    static let gateway = try! Identity(["gateway.test", "localhost"])
    static let wildcard = try! Identity(["*.example.test", "exact.example.test"])
    static let rsa = try! Identity(["gateway.test", "localhost"], kind: .rsa)
}

extension TLSContext {
    /// With `gateway.test` as the default, `*.example.test` and `exact.example.test` beside it.
    static func test(minimum: TLSVersion = .v1_2, alpn: [String] = ["http/1.1"]) throws -> TLSContext {
        try TLSContext(
            server: .init(certificates: [Identity.gateway.files, Identity.wildcard.files], minimum: minimum, alpn: alpn))
    }
}
