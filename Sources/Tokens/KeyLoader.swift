import COpenSSL
import Policy

/// How a secret's file writes its bytes.
package enum SecretEncoding: String, Sendable, CaseIterable {
    case utf8, base64, hex
}

/// From a file's bytes to keys (SPEC §2): everything wrong with a key is found here, never when a token comes.
///
/// `allowed` are the algorithms of the credential block; a key that can serve none of them is an error.
package enum KeyLoader {
    /// An HMAC secret. One trailing newline is not part of it.
    package static func secret(_ file: [UInt8], encoding: SecretEncoding, allowed: AlgorithmSet) throws(KeyError) -> VerificationKey {
        try VerificationKey(.secret(secretBytes(file, encoding: encoding)), type: .secret, kid: nil, allowed: allowed)
    }

    /// The secret itself, as the file means it: for whoever signs with it.
    package static func secretBytes(_ file: [UInt8], encoding: SecretEncoding) throws(KeyError) -> [UInt8] {
        let text = withoutNewline(file)
        guard !text.isEmpty else { throw .emptySecret }
        guard !text.starts(with: Array("-----BEGIN ".utf8)) else { throw .secretIsPEM }
        return try decoded(text, encoding)
    }

    /// The one public key or certificate in a PEM file (RFC 7468). Text outside the block is ignored, a second block is refused.
    package static func pem(_ file: [UInt8], allowed: AlgorithmSet) throws(KeyError) -> VerificationKey {
        let block = try onlyBlock(file)
        switch block.label {
        case "PUBLIC KEY": return try PublicKey(subjectPublicKeyInfo: block.der).verificationKey(kid: nil, allowed: allowed)
        case "RSA PUBLIC KEY": return try PublicKey(rsaPublicKey: block.der).verificationKey(kid: nil, allowed: allowed)
        case "CERTIFICATE": return try PublicKey(certificate: block.der).verificationKey(kid: nil, allowed: allowed)
        case let label where label.hasSuffix("PRIVATE KEY"): throw .privateKey
        case let label: throw .unsupportedPEM(label: label)
        }
    }

    /// The keys of a JWKS file (RFC 7517 §5), all or none: throws `badKeys` with every bad one.
    package static func keySetFile(_ file: [UInt8], allowed: AlgorithmSet) throws(KeyError) -> [VerificationKey] {
        let reading = try KeySetReading(file, allowed: allowed)
        guard reading.problems.isEmpty else { throw .badKeys(reading.problems) }
        guard !reading.keys.isEmpty else { throw .noUsableKey }
        return reading.keys
    }
}

// MARK: secrets

extension KeyLoader {
    private static func withoutNewline(_ file: [UInt8]) -> [UInt8] {
        guard file.last == UInt8(ascii: "\n") else { return file }
        let text = file.dropLast()
        return Array(text.last == UInt8(ascii: "\r") ? text.dropLast() : text)
    }

    private static func decoded(_ text: [UInt8], _ encoding: SecretEncoding) throws(KeyError) -> [UInt8] {
        switch encoding {
        case .utf8:
            guard String(validating: text, as: UTF8.self) != nil else { throw .notUTF8 }
            return text
        case .base64:
            guard let bytes = base64(text) else { throw .notBase64 }
            return bytes
        case .hex:
            guard let bytes = hex(text) else { throw .notHex }
            return bytes
        }
    }

    /// The standard or the url alphabet, with the right padding or none.
    private static func base64(_ text: [UInt8]) -> [UInt8]? {
        let digits = Array(text.prefix { $0 != UInt8(ascii: "=") })
        let padding = text.count - digits.count
        guard text.suffix(padding).allSatisfy({ $0 == UInt8(ascii: "=") }), padding == 0 || padding == (4 - digits.count % 4) % 4
        else { return nil }
        let url = digits.map { digit in
            switch digit {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: digit
            }
        }
        return Base64URL.decode(url.span)
    }

    private static func hex(_ text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = hexDigit(text[index]), let low = hexDigit(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}

// MARK: PEM

extension KeyLoader {
    private struct Block {
        let label: String
        let der: [UInt8]
    }

    private static func onlyBlock(_ file: [UInt8]) throws(KeyError) -> Block {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard !file.isEmpty else { throw .notPEM }
        // libcrypto keeps the pointer, which the optimiser doesn't see: outside of this the bytes could be freed before they are read.
        let blocks = unsafe file.withUnsafeBytes { bytes -> (Block?, Block?) in
            guard let input = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return (nil, nil) }
            defer { unsafe BIO_free(input) }
            return (unsafe nextBlock(input), unsafe nextBlock(input))
        }
        guard let block = blocks.0 else { throw .notPEM }
        guard blocks.1 == nil else { throw .severalPEMBlocks }
        return block
    }

    private static func nextBlock(_ input: OpaquePointer) -> Block? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard unsafe PEM_read_bio(input, &name, &header, &data, &length) == 1, let label = unsafe name, let der = unsafe data else {
            return nil
        }
        defer {
            unsafe CRYPTO_free(name, nil, 0)
            unsafe CRYPTO_free(header, nil, 0)
            unsafe CRYPTO_clear_free(data, length, nil, 0)
        }
        return unsafe Block(label: String(cString: label), der: Array(UnsafeBufferPointer(start: der, count: length)))
    }
}
