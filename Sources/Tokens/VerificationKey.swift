import COpenSSL

/// A key that can check signatures: of one type, parsed once when it is loaded, bound to the algorithms that the file allows.
///
/// It is immutable and shared by all event loops. Whatever a token's header says, a key serves only `algorithms`.
// @unchecked: an EVP_PKEY that is only read may be used from any thread (libcrypto counts and locks inside).
package final class VerificationKey: @unchecked Sendable {
    /// The name that a token's `kid` may pick it by; nil for a key without one.
    package let kid: [UInt8]?
    package let type: KeyType
    /// Never empty, all of the key's own family.
    package let algorithms: AlgorithmSet

    let material: Material

    @safe enum Material {
        case secret([UInt8])
        /// An EVP_PKEY that this object owns.
        case publicKey(OpaquePointer)
        /// An EVP_PKEY that this object owns, and the order of its group, big-endian, as wide as a half of a signature.
        case ec(OpaquePointer, order: [UInt8])
    }

    /// Takes over what `material` holds. Throws where `allowed` has no algorithm for it or asks too much of it.
    init(_ material: Material, type: KeyType, kid: [UInt8]?, allowed: AlgorithmSet) throws(KeyError) {
        self.material = material
        self.type = type
        self.kid = kid
        algorithms = allowed.intersection(type.algorithms)
        guard !algorithms.isEmpty else { throw .servesNoAlgorithm(type) }
        try checkSecretLength()
    }

    deinit {
        switch material {
        case .secret: break
        case .publicKey(let key): unsafe EVP_PKEY_free(key)
        case .ec(let key, order: _): unsafe EVP_PKEY_free(key)
        }
    }

    /// Whether the other is this very key under the same name for the same algorithms, loaded another time.
    func isSame(as other: VerificationKey) -> Bool {
        guard kid == other.kid, type == other.type, algorithms == other.algorithms else { return false }
        switch (material, other.material) {
        case (.secret(let mine), .secret(let theirs)): return mine == theirs
        case (.publicKey(let mine), .publicKey(let theirs)), (.ec(let mine, order: _), .ec(let theirs, order: _)):
            defer { ERR_clear_error() }
            return unsafe EVP_PKEY_eq(mine, theirs) == 1
        default: return false
        }
    }

    /// A secret is at least as long as the value of the hash that it is used with (RFC 7518 §3.2).
    private func checkSecretLength() throws(KeyError) {
        guard case .secret(let secret) = material else { return }
        guard !secret.isEmpty else { throw .emptySecret }
        for algorithm in algorithms.all {
            guard let width = algorithm.hash?.width, secret.count >= width else {
                throw .secretTooShort(bytes: secret.count, algorithm: algorithm)
            }
        }
    }
}
