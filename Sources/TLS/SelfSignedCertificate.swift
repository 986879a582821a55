import COpenSSL

/// A certificate that vouches for itself and its new ECDSA key on P-256, both in PEM: for the demo, where nobody has one to give.
///
/// Clients trust it by being given it as their only authority (`curl --cacert`).
package struct SelfSignedCertificate: Sendable {
    package let certificate: [UInt8]
    package let privateKey: [UInt8]

    /// - Parameters:
    ///   - names: subject alternative names as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`.
    ///   - seconds: how long it is valid, from a minute ago.
    package init(names: String, validFor seconds: Int) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        guard let made = Self.make(names, seconds) else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        self = made
    }

    private init(certificate: [UInt8], privateKey: [UInt8]) {
        self.certificate = certificate
        self.privateKey = privateKey
    }

    private static func make(_ names: String, _ seconds: Int) -> SelfSignedCertificate? {
        guard let key = unsafe newKey() else { return nil }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { return nil }
        defer { unsafe X509_free(certificate) }
        guard unsafe fill(certificate, names, seconds, key), unsafe X509_sign(certificate, key, EVP_sha256()) > 0 else { return nil }
        guard let text = unsafe pem({ unsafe PEM_write_bio_X509($0, certificate) }),
            let keyText = unsafe pem({ unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) })
        else { return nil }
        return SelfSignedCertificate(certificate: text, privateKey: keyText)
    }

    private static func newKey() -> OpaquePointer? {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1
        else { return nil }
        return unsafe key
    }

    /// Version 3, a random serial number, one name for subject and issuer, and the extensions that clients look at.
    private static func fill(_ certificate: OpaquePointer, _ names: String, _ seconds: Int, _ key: OpaquePointer) -> Bool {
        guard unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max))) == 1,
            unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != nil,
            unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), seconds) != nil,
            let name = unsafe X509_get_subject_name(certificate),
            unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "tenantgate demo", -1, -1, 0) == 1,
            unsafe X509_set_issuer_name(certificate, name) == 1, unsafe X509_set_pubkey(certificate, key) == 1
        else { return false }
        return unsafe add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", to: certificate)
            && add(NID_ext_key_usage, "serverAuth", to: certificate) && add(NID_subject_alt_name, names, to: certificate)
    }

    private static func add(_ extensionID: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
        guard let made = unsafe X509V3_EXT_conf_nid(nil, nil, extensionID, value) else { return false }
        defer { unsafe X509_EXTENSION_free(made) }
        return unsafe X509_add_ext(certificate, made, -1) == 1
    }

    /// What `write` puts into a BIO.
    private static func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
        guard let output = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(output) }
        guard unsafe write(output) == 1 else { return nil }
        var text = [UInt8](repeating: 0, count: 8 * 1024)
        let count = unsafe text.withUnsafeMutableBytes { unsafe BIO_read(output, $0.baseAddress, Int32($0.count)) }
        return count > 0 ? Array(text.prefix(Int(count))) : nil
    }
}
