import COpenSSL
import Glibc

/// The certificates of a PEM file, the server's own first.
@safe final class CertificateChain {
    /// At least one.
    let certificates: [OpaquePointer]

    init(file: String) throws(TLSConfigurationError.FileProblem) {
        let bytes = try PEMFile.read(file)
        var found: [OpaquePointer] = unsafe []
        OpenSSLErrors.clear()
        unsafe PEMFile.withBIO(over: bytes) { bio in
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) { unsafe found.append(certificate) }
        }
        unsafe certificates = found
        // The end of the file is noted as "no start line"; anything else is damage.
        let fault = OpenSSLErrors.drain()
        if let fault, fault.pemReason != PEM_R_NO_START_LINE { throw .malformed(fault.text) }
        if unsafe found.isEmpty { throw .notPEM }
    }

    deinit {
        unsafe certificates.forEach { unsafe X509_free($0) }
    }

    /// The server's own.
    var leaf: OpaquePointer { unsafe certificates[0] }
    var intermediates: ArraySlice<OpaquePointer> { unsafe certificates.dropFirst() }

    /// SHA-256 of the leaf's DER.
    var fingerprint: [UInt8] { unsafe Self.fingerprint(of: leaf) }

    static func fingerprint(of certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe X509_digest(certificate, EVP_sha256(), &digest, nil)
        return digest
    }

    /// The DNS names among the leaf's subject alternative names; a common name counts for nothing (RFC 9525 §6.3). Names that no
    /// client can send are left out.
    var dnsNames: [ServerName] {
        guard let all = unsafe X509_get_ext_d2i(leaf, NID_subject_alt_name, nil, nil).map({ OpaquePointer($0) }) else { return [] }
        defer { unsafe GENERAL_NAMES_free(all) }
        return (0..<(unsafe OPENSSL_sk_num(all))).compactMap { index in
            var type: CInt = 0
            let name = unsafe OPENSSL_sk_value(all, index).assumingMemoryBound(to: GENERAL_NAME.self)
            guard let value = unsafe GENERAL_NAME_get0_value(name, &type), type == GEN_DNS else { return nil }
            let text = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
            let bytes = unsafe UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
            return unsafe ServerName(bytes, wildcardAllowed: true)
        }
    }

    /// When the server's own expires: seconds since 1970; nil where the date can't be read.
    var notAfter: Int64? {
        var date = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &date) == 1 else { return nil }
        return unsafe Int64(timegm(&date))
    }

    /// RFC 3339, if that moment is past.
    var expiry: String? { unsafe moment(X509_get0_notAfter(leaf)) { $0 < 0 } }

    /// RFC 3339, if that moment is to come.
    var beginning: String? { unsafe moment(X509_get0_notBefore(leaf)) { $0 > 0 } }

    private func moment(_ time: UnsafePointer<ASN1_TIME>?, _ condition: (CInt) -> Bool) -> String? {
        guard condition(unsafe X509_cmp_current_time(time)) else { return nil }
        var date = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &date) == 1 else { return "an unreadable date" }
        let numbers = unsafe [date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return unsafe "\(date.tm_year + 1900)-\(numbers[0])-\(numbers[1])T\(numbers[2...].joined(separator: ":"))Z"
    }
}
