/// A curve of ES256, ES384 or ES512 (RFC 7518 §3.4, §6.2.1.1).
package enum Curve: Hashable, Sendable, CaseIterable {
    case p256, p384, p521

    /// The name in a JWK's `crv`.
    package var name: StaticString {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }

    /// The name of the group in libcrypto.
    var groupName: String {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        }
    }

    /// Bytes of a coordinate, and of each half of a signature.
    var width: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }
}
