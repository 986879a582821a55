import COpenSSL

/// Checks signatures with libcrypto contexts that are made once per key and algorithm and then reused.
///
/// One belongs to one event loop (in its `TokenMemory`): contexts are not shared, keys are.
final class SignatureVerifier {
    private var prepared: [Use: PreparedKey] = [:]
    private let hashing = Hashing()

    /// What a context is prepared for. The key's object stays alive in its `PreparedKey`, so the identifier is not used again.
    private struct Use: Hashable {
        let key: ObjectIdentifier
        let algorithm: Algorithm
    }

    /// Whether `signature` is one over `input` by `key`. Nothing of the token but these bytes takes part.
    func isValid(_ signature: [UInt8], over input: Span<UInt8>, by key: VerificationKey, _ algorithm: Algorithm) -> Bool {
        guard key.algorithms.contains(algorithm) else { return false }
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let prepared = prepare(key, algorithm) else { return false }
        return prepared.accepts(signature, over: input, hashing: hashing)
    }

    /// Lets go of all contexts and keys: the file changed.
    func forget() { prepared.removeAll() }

    /// Lets go of the contexts of keys that are no longer in force.
    func forget(_ key: VerificationKey) {
        for algorithm in key.algorithms.all { prepared[Use(key: ObjectIdentifier(key), algorithm: algorithm)] = nil }
    }

    private func prepare(_ key: VerificationKey, _ algorithm: Algorithm) -> PreparedKey? {
        let use = Use(key: ObjectIdentifier(key), algorithm: algorithm)
        if let known = prepared[use] { return known }
        let made = PreparedKey(key, algorithm)
        prepared[use] = made
        return made
    }
}

/// One key made ready for one algorithm.
@safe private final class PreparedKey {
    /// Keeps alive what `context` refers to.
    private let key: VerificationKey
    private let algorithm: Algorithm
    private let context: Context

    @safe private enum Context {
        /// An EVP_MAC_CTX that holds the key.
        case mac(OpaquePointer)
        /// An EVP_PKEY_CTX with padding and hash set, and the length of every signature.
        case rsa(OpaquePointer, length: Int)
        /// An EVP_PKEY_CTX with the hash set, and the group's order.
        case ecdsa(OpaquePointer, order: [UInt8])
        /// EdDSA hashes inside: the EVP_PKEY itself and an EVP_MD_CTX for it.
        case edDSA(OpaquePointer, OpaquePointer)
    }

    init?(_ key: VerificationKey, _ algorithm: Algorithm) {
        guard let context = Self.context(key, algorithm) else { return nil }
        self.key = key
        self.algorithm = algorithm
        self.context = context
    }

    deinit {
        switch context {
        case .mac(let mac): unsafe EVP_MAC_CTX_free(mac)
        case .rsa(let verifying, _): unsafe EVP_PKEY_CTX_free(verifying)
        case .ecdsa(let verifying, _): unsafe EVP_PKEY_CTX_free(verifying)
        case .edDSA(_, let message): unsafe EVP_MD_CTX_free(message)
        }
    }

    /// Leaves whatever libcrypto has to say in its error queue.
    func accepts(_ signature: [UInt8], over input: Span<UInt8>, hashing: Hashing) -> Bool {
        switch context {
        case .mac(let mac): return unsafe Self.matches(signature, mac, input)
        case .edDSA(let publicKey, let message):
            guard signature.count == 64 else { return false }
            return unsafe input.withUnsafeBufferPointer { input in
                unsafe EVP_DigestVerifyInit_ex(message, nil, nil, nil, nil, publicKey, nil) == 1
                    && EVP_DigestVerify(message, signature, signature.count, input.baseAddress, input.count) == 1
            }
        case .rsa(let verifying, let length):
            guard signature.count == length else { return false }
            return unsafe verify(signature, verifying, input, hashing)
        case .ecdsa(let verifying, let order):
            guard let der = ECDSASignature.der(signature, order: order) else { return false }
            return unsafe verify(der, verifying, input, hashing)
        }
    }

    private func verify(_ signature: [UInt8], _ context: OpaquePointer, _ input: Span<UInt8>, _ hashing: Hashing) -> Bool {
        guard let hash = algorithm.hash, let value = hashing.value(of: input, by: hash) else { return false }
        return unsafe EVP_PKEY_verify(context, signature, signature.count, value, value.count) == 1
    }

    /// Compared in constant time. `EVP_MAC_init` without a key starts anew with the one that the context holds.
    private static func matches(_ signature: [UInt8], _ mac: OpaquePointer, _ input: Span<UInt8>) -> Bool {
        var value = [UInt8](repeating: 0, count: 64)
        var length = 0
        let done = unsafe input.withUnsafeBufferPointer { input in
            unsafe EVP_MAC_init(mac, nil, 0, nil) == 1 && EVP_MAC_update(mac, input.baseAddress, input.count) == 1
                && EVP_MAC_final(mac, &value, &length, value.count) == 1
        }
        guard done, length > 0, signature.count == length else { return false }
        return unsafe CRYPTO_memcmp(value, signature, length) == 0
    }
}

extension PreparedKey {
    private static func context(_ key: VerificationKey, _ algorithm: Algorithm) -> Context? {
        switch key.material {
        case .secret(let secret): return unsafe mac(secret, algorithm).map { unsafe .mac($0) }
        case .ec(let publicKey, let order):
            return unsafe verifying(publicKey, algorithm).map { unsafe .ecdsa($0, order: order) }
        case .publicKey(let publicKey) where algorithm == .edDSA:
            return unsafe EVP_MD_CTX_new().map { unsafe .edDSA(publicKey, $0) }
        case .publicKey(let publicKey):
            let length = Int(unsafe EVP_PKEY_get_size(publicKey))
            return unsafe verifying(publicKey, algorithm).map { unsafe .rsa($0, length: length) }
        }
    }

    private static func mac(_ secret: [UInt8], _ algorithm: Algorithm) -> OpaquePointer? {
        guard let hash = algorithm.hash, let hmac = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        defer { unsafe EVP_MAC_free(hmac) }
        guard let context = unsafe EVP_MAC_CTX_new(hmac) else { return nil }
        guard unsafe setSecret(secret, hash, context) else {
            unsafe EVP_MAC_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    /// An OSSL_PARAM holds pointers to its name and value: both must outlive it.
    private static func setSecret(_ secret: [UInt8], _ hash: HashFunction, _ context: OpaquePointer) -> Bool {
        var value = Array(hash.name.utf8CString)
        return unsafe OSSL_MAC_PARAM_DIGEST.withCString { name in
            unsafe value.withUnsafeMutableBufferPointer { value in
                let parameters = unsafe [
                    OSSL_PARAM_construct_utf8_string(name, value.baseAddress, 0), OSSL_PARAM_construct_end(),
                ]
                return unsafe EVP_MAC_init(context, secret, secret.count, parameters) == 1
            }
        }
    }

    private static func verifying(_ publicKey: OpaquePointer, _ algorithm: Algorithm) -> OpaquePointer? {
        guard let hash = algorithm.hash, let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, publicKey, nil) else { return nil }
        guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe setPadding(context, algorithm),
            unsafe EVP_PKEY_CTX_set_signature_md(context, hash.method) == 1
        else {
            unsafe EVP_PKEY_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    /// PKCS #1 v1.5, or PSS with MGF1 over the same hash and a salt as long as its value (RFC 7518 §3.3, §3.5).
    private static func setPadding(_ context: OpaquePointer, _ algorithm: Algorithm) -> Bool {
        guard algorithm.keyType == .rsa else { return true }
        guard algorithm.isPSS, let hash = algorithm.hash else {
            return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
        }
        return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash.method) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(hash.width)) == 1
    }
}
