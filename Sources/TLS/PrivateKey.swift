import COpenSSL

/// The private key of a PEM file.
@safe final class PrivateKey {
    let pointer: OpaquePointer

    init(file: String) throws(TLSConfigurationError.FileProblem) {
        var bytes = try PEMFile.read(file)
        defer { unsafe OPENSSL_cleanse(&bytes, bytes.count) }
        // OpenSSL has one error for "nothing here" and "something unreadable".
        guard bytes.firstRange(of: "PRIVATE KEY-----".utf8) != nil else { throw .notPEM }
        OpenSSLErrors.clear()
        // Asked for a pass phrase only if the key is encrypted: there is none.
        var isEncrypted = false
        let key = unsafe PEMFile.withBIO(over: bytes) { bio in
            unsafe withUnsafeMutablePointer(to: &isEncrypted) { asked in
                unsafe PEM_read_bio_PrivateKey(
                    bio, nil,
                    { _, _, _, asked in
                        unsafe asked?.assumingMemoryBound(to: Bool.self).pointee = true
                        return -1
                    }, asked)
            }
        }
        let fault = OpenSSLErrors.drain()
        guard let key = unsafe key else {
            if isEncrypted { throw .encryptedKey }
            throw .malformed(fault?.text ?? "unknown")
        }
        unsafe pointer = key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// RSA, EC, …: libssl keeps one certificate of each in a context.
    var kind: CInt { unsafe EVP_PKEY_get_base_id(pointer) }
}
