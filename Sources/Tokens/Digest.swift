/// Digests that other parts of the gateway are handed, so that only this target sees libcrypto.
package enum Digest {
    /// SHA-256 (FIPS 180-4) of `bytes`, 32 bytes: chains the ledger's log.
    package static func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
        guard let value = Hashing().value(of: bytes, by: .sha256) else { fatalError("libcrypto can't compute SHA-256") }
        return value
    }
}
