import COpenSSL

@testable import Tokens

/// A key pair made for this run: what an issuer has, and an attacker who made one of their own.
@safe final class SigningKey: @unchecked Sendable {
    private let key: OpaquePointer

    static let rsa = SigningKey("RSA", bits: 2048)
    static let otherRSA = SigningKey("RSA", bits: 2048)
    static let smallRSA = SigningKey("RSA", bits: 1024)
    static let wideRSA = SigningKey("RSA", bits: 3072)
    static let p256 = SigningKey("EC", group: "P-256")
    static let otherP256 = SigningKey("EC", group: "P-256")
    static let p384 = SigningKey("EC", group: "P-384")
    static let p521 = SigningKey("EC", group: "P-521")
    static let secp256k1 = SigningKey("EC", group: "secp256k1")
    static let ed25519 = SigningKey("ED25519")
    static let otherEd25519 = SigningKey("ED25519")
    static let ed448 = SigningKey("ED448")

    private init(_ algorithm: String, bits: Int32? = nil, group: String? = nil) {
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, algorithm, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        unsafe precondition(EVP_PKEY_keygen_init(context) == 1)
        if let bits { unsafe precondition(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1) }
        if let group { unsafe precondition(EVP_PKEY_CTX_set_group_name(context, group) == 1) }
        var made: OpaquePointer?
        unsafe precondition(EVP_PKEY_generate(context, &made) == 1)
        unsafe key = made!
    }

    deinit { unsafe EVP_PKEY_free(key) }

    // MARK: forms

    var publicPEM: [UInt8] { unsafe Self.written { unsafe PEM_write_bio_PUBKEY($0, key) } }
    var privatePEM: [UInt8] { unsafe Self.written { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) } }
    var publicDER: [UInt8] { unsafe Self.written { unsafe i2d_PUBKEY_bio($0, key) } }

    /// A certificate signed by itself that expired long ago.
    var certificatePEM: [UInt8] {
        let certificate = unsafe X509_new()
        defer { unsafe X509_free(certificate) }
        unsafe X509_set_version(certificate, 2)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -7_200)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), -3_600)
        unsafe X509_set_pubkey(certificate, key)
        unsafe precondition(X509_sign(certificate, key, EVP_sha256()) > 0)
        return unsafe Self.written { unsafe PEM_write_bio_X509($0, certificate) }
    }

    /// A number of the key, big-endian without leading zeros or padded to `width`.
    func number(_ name: String, width: Int? = nil) -> [UInt8] {
        var number: OpaquePointer?
        unsafe precondition(EVP_PKEY_get_bn_param(key, name, &number) == 1)
        defer { unsafe BN_free(number) }
        let count = width ?? Int((unsafe BN_num_bits(number) + 7) / 8)
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe precondition(BN_bn2binpad(number, &bytes, Int32(count)) == Int32(count))
        return bytes
    }

    var rawPublic: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        var count = bytes.count
        unsafe precondition(EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1)
        return Array(bytes[..<count])
    }

    private static func written(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
        let output = unsafe BIO_new(BIO_s_mem())!
        defer { unsafe BIO_free(output) }
        unsafe precondition(write(output) == 1)
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        let count = unsafe BIO_read(output, &bytes, Int32(bytes.count))
        return Array(bytes[..<Int(count)])
    }

    // MARK: signing

    /// A signature as libcrypto gives it: DER for EC.
    func rawSignature(over input: [UInt8], _ algorithm: Algorithm, salt: Int32? = nil) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        unsafe precondition(EVP_DigestSignInit_ex(context, &options, algorithm.hash?.name, nil, nil, key, nil) == 1)
        if algorithm.isPSS {
            unsafe precondition(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1)
            unsafe precondition(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt ?? Int32(algorithm.hash!.width)) == 1)
        }
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        unsafe precondition(EVP_DigestSign(context, &signature, &count, input, input.count) == 1)
        return Array(signature[..<count])
    }

    /// A signature as tokens carry it: r‖s for EC, each half `width` bytes.
    func signature(over input: [UInt8], _ algorithm: Algorithm) -> [UInt8] {
        let raw = rawSignature(over: input, algorithm)
        guard case .ec = algorithm.keyType else { return raw }
        let width = Int((unsafe EVP_PKEY_get_bits(key) + 7) / 8)
        return unsafe raw.withUnsafeBufferPointer { der in
            var at = der.baseAddress
            let pair = unsafe d2i_ECDSA_SIG(nil, &at, der.count)
            defer { unsafe ECDSA_SIG_free(pair) }
            var out = [UInt8](repeating: 0, count: 2 * width)
            unsafe out.withUnsafeMutableBufferPointer { out in
                unsafe BN_bn2binpad(ECDSA_SIG_get0_r(pair), out.baseAddress, Int32(width))
                unsafe BN_bn2binpad(ECDSA_SIG_get0_s(pair), out.baseAddress! + width, Int32(width))
            }
            return out
        }
    }

    /// HMAC by libcrypto's one-shot function, which the gateway does not use.
    static func hmac(_ input: [UInt8], secret: [UInt8], _ algorithm: Algorithm) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: 64)
        var count = 0
        let done = unsafe EVP_Q_mac(
            nil, "HMAC", nil, algorithm.hash!.name, nil, secret, secret.count, input, input.count, &value, value.count, &count)
        unsafe precondition(done != nil)
        return Array(value[..<count])
    }
}
