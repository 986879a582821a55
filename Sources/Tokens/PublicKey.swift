import COpenSSL
import Policy

/// A public key in libcrypto's form, checked: the one way from outside bytes to an EVP_PKEY.
///
/// Owns the EVP_PKEY until `release` hands it over.
@safe struct PublicKey: ~Copyable {
    private let key: OpaquePointer

    /// Takes over `key`.
    private init(owning key: OpaquePointer) { unsafe self.key = key }

    deinit { unsafe EVP_PKEY_free(key) }

    /// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    init(subjectPublicKeyInfo der: [UInt8]) throws(KeyError) {
        try unsafe self.init(der) { unsafe d2i_PUBKEY(nil, &$0, $1) }
    }

    /// PKCS #1's RSAPublicKey (RFC 8017 A.1.1).
    init(rsaPublicKey der: [UInt8]) throws(KeyError) {
        try unsafe self.init(der) { unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, &$0, $1) }
    }

    /// The key of an X.509 certificate. The certificate is taken as a mere container: dates, names and issuer are not looked at.
    init(certificate der: [UInt8]) throws(KeyError) {
        try unsafe self.init(der) { input, length in
            guard let certificate = unsafe d2i_X509(nil, &input, length) else { return nil }
            defer { unsafe X509_free(certificate) }
            return unsafe X509_get_pubkey(certificate)
        }
    }

    /// Modulus and exponent, big-endian.
    init(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) {
        try self.init(rsaPublicKey: DER.sequence(DER.integer(modulus[...]) + DER.integer(exponent[...])))
    }

    /// Coordinates of a point, each exactly as wide as the curve's.
    init(curve: Curve, x: [UInt8], y: [UInt8]) throws(KeyError) {
        try self.init(subjectPublicKeyInfo: curve.publicKeyPrefix + x + y)
    }

    /// The 32 bytes of an Ed25519 key (RFC 8032 §5.1.5).
    init(ed25519 bytes: [UInt8]) throws(KeyError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let key = unsafe EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, bytes.count) else { throw .invalidKey }
        unsafe self.init(owning: key)
    }

    /// Decodes DER that must end where the key ends.
    private init(
        _ der: [UInt8], _ decode: (inout UnsafePointer<UInt8>?, Int) -> OpaquePointer?
    ) throws(KeyError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let (decoded, consumed) = unsafe der.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            let key = unsafe decode(&at, bytes.count)
            return unsafe (key, at == bytes.baseAddress.map { unsafe $0 + bytes.count })
        }
        guard let decoded = unsafe decoded, consumed else {
            unsafe EVP_PKEY_free(decoded)
            throw .invalidKey
        }
        unsafe self.init(owning: decoded)
    }
}

extension PublicKey {
    /// Checks type, size and validity, and hands the key over.
    consuming func verificationKey(kid: [UInt8]?, allowed: AlgorithmSet) throws(KeyError) -> VerificationKey {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let type = try type()
        guard type != .rsa else {
            try checkRSA()
            return try unsafe VerificationKey(.publicKey(shared()), type: type, kid: kid, allowed: allowed)
        }
        let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_public_check(context) == 1 else { throw .invalidKey }
        guard case .ec(let curve) = type else {
            return try unsafe VerificationKey(.publicKey(shared()), type: type, kid: kid, allowed: allowed)
        }
        let order = try number(OSSL_PKEY_PARAM_EC_ORDER, width: curve.width)
        return try unsafe VerificationKey(.ec(shared(), order: order), type: type, kid: kid, allowed: allowed)
    }

    /// A second owner of the same key.
    private func shared() -> OpaquePointer {
        unsafe EVP_PKEY_up_ref(key)
        return unsafe key
    }

    private func type() throws(KeyError) -> KeyType {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: return .rsa
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_EC: return .ec(try curve())
        default: throw .unsupportedType
        }
    }

    /// The named curve. One that is spelled out in parameters is refused, even where they are a known curve's (CVE-2020-0601).
    private func curve() throws(KeyError) -> Curve {
        var isExplicit: Int32 = 0
        let asked = unsafe EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &isExplicit)
        guard asked == 0 || isExplicit == 0 else { throw .unsupportedCurve }
        var name = [CChar](repeating: 0, count: 64)
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { throw .unsupportedCurve }
        let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        guard let curve = Curve.allCases.first(where: { text.elementsEqual($0.groupName.utf8) }) else { throw .unsupportedCurve }
        return curve
    }

    /// 2048 bits at least (SPEC §2), 8192 at most (more makes every check a burden), odd; an odd exponent of 3 or more and at most 64 bits.
    ///
    /// Not whether the modulus is composite and has no small factor, as `EVP_PKEY_public_check` would: that takes 5 to 330 ms a key, on a
    /// thread that thousands of issuers share. Whoever publishes such a modulus gives away a key of its own.
    private func checkRSA() throws(KeyError) {
        let bits = Int(unsafe EVP_PKEY_get_bits(key))
        guard Limits.rsaBits.contains(bits) else { throw .rsaSize(bits: bits) }
        let modulus = try number(OSSL_PKEY_PARAM_RSA_N, width: (bits + 7) / 8)
        guard modulus.last.map({ $0 & 1 == 1 }) ?? false else { throw .invalidKey }
        let exponent = try number(OSSL_PKEY_PARAM_RSA_E, width: 8, otherwise: .rsaExponent)
        guard exponent[7] & 1 == 1, exponent[7] >= 3 || exponent.dropLast().contains(where: { $0 != 0 }) else { throw .rsaExponent }
    }

    /// A number of the key, big-endian in `width` bytes.
    private func number(_ name: String, width: Int, otherwise error: KeyError = .invalidKey) throws(KeyError) -> [UInt8] {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, name, &number) == 1 else { throw error }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: width)
        guard unsafe BN_bn2binpad(number, &bytes, Int32(width)) == Int32(width) else { throw error }
        return bytes
    }
}
