import Policy
import StrictJSON

/// One member of a key set (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), on its way to a `VerificationKey`.
struct JWK {
    private let document: JSONDocument
    private let object: JSONValue

    init(_ document: JSONDocument, _ object: JSONValue) {
        self.document = document
        self.object = object
    }

    /// Nil for a key that is none of ours; throws for one that claims to be and is bad.
    func key(allowed: AlgorithmSet) throws(KeyError) -> VerificationKey? {
        guard let type = try type() else { return nil }
        try checkPurpose()
        if type != .secret { try checkIsPublic() }
        let kid = try text("kid")
        guard kid.map({ $0.count <= Limits.kidBytes }) ?? true else { throw .kidTooLong }
        let fitting = try algorithms(of: type)
        let bound = fitting.intersection(allowed)
        guard bound.isEmpty else { return try load(type, kid: kid, allowed: bound) }
        // Nothing would use it, but an unsound public key is a problem all the same.
        if type != .secret { _ = try load(type, kid: kid, allowed: fitting) }
        return nil
    }

    /// The kid as far as it can be shown to a person.
    var readableKid: String? {
        guard let kid = try? text("kid"), kid.count <= 64, kid.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
        return String(decoding: kid, as: UTF8.self)
    }

    /// Nil for an unknown `kty` or `crv`.
    private func type() throws(KeyError) -> KeyType? {
        guard let kty = try text("kty") else { throw .member("kty") }
        if kty.span.spells("oct") { return .secret }
        if kty.span.spells("RSA") { return .rsa }
        guard kty.span.spells("EC") || kty.span.spells("OKP") else { return nil }
        guard let crv = try text("crv") else { throw .member("crv") }
        if kty.span.spells("OKP") { return crv.span.spells("Ed25519") ? .ed25519 : nil }
        return Curve.allCases.first { crv.span.spells($0.name) }.map { .ec($0) }
    }

    /// `use` must be `sig`, `key_ops` must hold `verify` and nothing but `sign` beside it, each once (RFC 7517 §4.2, §4.3).
    private func checkPurpose() throws(KeyError) {
        if let use = try text("use"), !use.span.spells("sig") { throw .notForSignatures }
        guard let list = document.member("key_ops", of: object) else { return }
        guard list.kind == .array else { throw .member("key_ops") }
        var operations: [[UInt8]] = []
        try document.forEachElement(of: list) { element throws(KeyError) in
            guard let operation = document.string(element), !operations.contains(operation) else { throw .member("key_ops") }
            guard operation.span.spells("verify") || operation.span.spells("sign") else { throw .notForSignatures }
            operations.append(operation)
            return true
        }
        guard operations.contains(where: { $0.span.spells("verify") }) else { throw .notForSignatures }
    }

    /// No private part may stand where a public key belongs (RFC 7518 §6.2.2, §6.3.2), of whichever type.
    private func checkIsPublic() throws(KeyError) {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] where document.member(name, of: object) != nil { throw .privateKey }
    }

    /// The key's own `alg` narrows its family to one.
    private func algorithms(of type: KeyType) throws(KeyError) -> AlgorithmSet {
        guard let name = try text("alg") else { return type.algorithms }
        guard let algorithm = Algorithm(name.span), algorithm.keyType == type else { throw .unsupportedAlgorithm }
        return [algorithm]
    }

    private func load(_ type: KeyType, kid: [UInt8]?, allowed: AlgorithmSet) throws(KeyError) -> VerificationKey {
        switch type {
        case .secret: try VerificationKey(.secret(bytes("k")), type: .secret, kid: kid, allowed: allowed)
        case .rsa: try PublicKey(modulus: bytes("n"), exponent: bytes("e")).verificationKey(kid: kid, allowed: allowed)
        case .ec(let curve):
            try PublicKey(curve: curve, x: bytes("x", width: curve.width), y: bytes("y", width: curve.width))
                .verificationKey(kid: kid, allowed: allowed)
        case .ed25519: try PublicKey(ed25519: bytes("x", width: 32)).verificationKey(kid: kid, allowed: allowed)
        }
    }

    /// A string member; nil where there is none.
    private func text(_ name: String) throws(KeyError) -> [UInt8]? {
        guard let value = document.member(name, of: object) else { return nil }
        guard let text = document.string(value) else { throw .member(name) }
        return text
    }

    /// A base64url member, of exactly `width` bytes if given (RFC 7518 §6.2.1.2: the full size of a coordinate).
    private func bytes(_ name: String, width: Int? = nil) throws(KeyError) -> [UInt8] {
        guard let text = try text(name), let bytes = Base64URL.decode(text.span), width == nil || bytes.count == width else {
            throw .member(name)
        }
        return bytes
    }
}
