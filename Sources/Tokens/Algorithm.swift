/// A signature algorithm of RFC 7518 §3 or RFC 8037 that the gateway verifies. `none` is not one.
package enum Algorithm: UInt8, Sendable, CaseIterable {
    case hs256, hs384, hs512
    case rs256, rs384, rs512
    case ps256, ps384, ps512
    case es256, es384, es512
    case edDSA

    /// The name in headers, key sets and the file.
    package var name: StaticString {
        switch self {
        case .hs256: "HS256"
        case .hs384: "HS384"
        case .hs512: "HS512"
        case .rs256: "RS256"
        case .rs384: "RS384"
        case .rs512: "RS512"
        case .ps256: "PS256"
        case .ps384: "PS384"
        case .ps512: "PS512"
        case .es256: "ES256"
        case .es384: "ES384"
        case .es512: "ES512"
        case .edDSA: "EdDSA"
        }
    }

    /// Reads the exact name, case included; nil for every other.
    package init?(_ name: Span<UInt8>) {
        guard let known = Algorithm.allCases.first(where: { name.spells($0.name) }) else { return nil }
        self = known
    }

    /// The one type of key that it is used with.
    package var keyType: KeyType {
        switch self {
        case .hs256, .hs384, .hs512: .secret
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .ec(.p256)
        case .es384: .ec(.p384)
        case .es512: .ec(.p521)
        case .edDSA: .ed25519
        }
    }

    /// The hash that is signed; EdDSA hashes by itself.
    var hash: HashFunction? {
        switch self {
        case .hs256, .rs256, .ps256, .es256: .sha256
        case .hs384, .rs384, .ps384, .es384: .sha384
        case .hs512, .rs512, .ps512, .es512: .sha512
        case .edDSA: nil
        }
    }

    /// Whether the RSA padding is PSS (RFC 7518 §3.5).
    var isPSS: Bool { self == .ps256 || self == .ps384 || self == .ps512 }
}

/// What a key is, and so which family of algorithms it may serve.
package enum KeyType: Hashable, Sendable, CustomStringConvertible {
    case secret
    case rsa
    case ec(Curve)
    case ed25519

    package var description: String {
        switch self {
        case .secret: "HMAC secret"
        case .rsa: "RSA key"
        case .ec(let curve): "EC key on \(curve.name)"
        case .ed25519: "Ed25519 key"
        }
    }

    /// Every algorithm of its family.
    package var algorithms: AlgorithmSet { AlgorithmSet(Algorithm.allCases.filter { $0.keyType == self }) }
}

/// A set of algorithms, as the file allows them.
package struct AlgorithmSet: Hashable, Sendable, ExpressibleByArrayLiteral {
    private var bits: UInt16 = 0

    package init(_ algorithms: some Sequence<Algorithm>) {
        for algorithm in algorithms { bits |= 1 << UInt16(algorithm.rawValue) }
    }

    package init(arrayLiteral elements: Algorithm...) { self.init(elements) }

    package var isEmpty: Bool { bits == 0 }
    package func contains(_ algorithm: Algorithm) -> Bool { bits >> UInt16(algorithm.rawValue) & 1 == 1 }
    package func intersection(_ other: AlgorithmSet) -> AlgorithmSet { AlgorithmSet(all.filter(other.contains)) }
    /// In the order of `Algorithm`.
    package var all: [Algorithm] { Algorithm.allCases.filter(contains) }
}

extension Span<UInt8> {
    /// Whether these are exactly the bytes of `text`.
    func spells(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { expected in
            guard expected.count == count else { return false }
            for index in indices where unsafe expected[index] != self[index] { return false }
            return true
        }
    }

    /// A copy that can be kept.
    var array: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
}
