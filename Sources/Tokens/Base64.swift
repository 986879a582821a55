import COpenSSL

/// Base64 as RFC 4648 §4 has it, with padding, by libcrypto. A token's own alphabet is `Base64URL`'s.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        // Four characters for three bytes, and the NUL that libcrypto adds.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let length = unsafe EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return Array(text.prefix(Int(length)))
    }
}
