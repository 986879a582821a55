import Policy
package import StrictJSON

/// Why a key can't be used, found when it is loaded. Never holds key material.
package enum KeyError: Error, Equatable, Sendable {
    // secrets
    case emptySecret
    case secretTooShort(bytes: Int, algorithm: Algorithm)
    case notUTF8
    case notBase64
    case notHex
    case secretIsPEM
    // PEM
    case notPEM
    case severalPEMBlocks
    case unsupportedPEM(label: String)
    // any public key
    case privateKey
    case unsupportedType
    case unsupportedCurve
    case rsaSize(bits: Int)
    case rsaExponent
    case invalidKey
    case servesNoAlgorithm(KeyType)
    // key sets
    case notJSON(JSONError)
    case notAKeySet
    case tooManyKeys
    case noUsableKey
    case member(String)
    case notForSignatures
    case unsupportedAlgorithm
    case duplicateKid
    case kidTooLong
    /// Every bad key of a set.
    case badKeys([KeyProblem])
}

/// One bad key of a set.
package struct KeyProblem: Error, Equatable, Sendable {
    /// Its place in `keys`.
    package let index: Int
    /// Its name, if it has a readable one.
    package let kid: String?
    package let error: KeyError
}

extension KeyError: CustomStringConvertible {
    /// For people: what is wrong and what to do.
    package var description: String {
        switch self {
        case .emptySecret: "the secret is empty"
        case .secretTooShort(let bytes, let algorithm):
            "the secret has \(bytes) bytes; \(algorithm.name) needs at least \(algorithm.hash?.width ?? 0) (RFC 7518 §3.2)"
        case .notUTF8: "the secret is not valid UTF-8; write it as base64 or hex and say so with `encoding`"
        case .notBase64: "the secret is not base64 on one line"
        case .notHex: "the secret is not hex: an even number of hex digits on one line"
        case .secretIsPEM: "the file holds a PEM, not a secret: everybody who has a public key could sign with it; use `pem_file`"
        case .notPEM: "no PEM block in the file; a public key or a certificate belongs there"
        case .severalPEMBlocks: "more than one PEM block in the file; leave the one public key or certificate"
        case .unsupportedPEM(let label): "a PEM block of \(label); a PUBLIC KEY or a CERTIFICATE belongs there"
        case .privateKey: "a private key where a public one belongs; extract it with `openssl pkey -pubout`"
        case .unsupportedType: "a type of key that no supported algorithm uses"
        case .unsupportedCurve: "a curve that no supported algorithm uses; P-256, P-384 and P-521 are"
        case .rsaSize(let bits): "an RSA key of \(bits) bits; from 2048 to 8192 are taken"
        case .rsaExponent: "an RSA exponent that is even, less than 3 or longer than 64 bits"
        case .invalidKey: "the key is malformed or mathematically invalid"
        case .servesNoAlgorithm(let type): "the \(type) serves none of the allowed algorithms"
        case .notJSON(let error): "the key set is not strict JSON: \(error)"
        case .notAKeySet: "not a key set: an object with an array `keys` of objects (RFC 7517 §5)"
        case .tooManyKeys: "more than \(Limits.keysInSet) keys in the set"
        case .noUsableKey: "no key in the set can serve an allowed algorithm"
        case .member(let name): "`\(name)` is missing, of a wrong type or malformed"
        case .notForSignatures: "`use` or `key_ops` says that it is not for checking signatures"
        case .unsupportedAlgorithm: "`alg` names an algorithm that does not fit the key"
        case .duplicateKid: "another key of the same type has the same `kid`"
        case .kidTooLong: "the `kid` is longer than \(Limits.kidBytes) bytes"
        case .badKeys(let problems): Self.text(problems)
        }
    }

    /// The first of them, and how many more there are: a set can have hundreds.
    private static func text(_ problems: [KeyProblem]) -> String {
        let rest = problems.count - Limits.keyProblemsShown
        return problems.prefix(Limits.keyProblemsShown).map(\.description).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }
}

extension KeyProblem: CustomStringConvertible {
    package var description: String { "keys[\(index)]\(kid.map { " (kid \($0))" } ?? ""): \(error)" }
}
