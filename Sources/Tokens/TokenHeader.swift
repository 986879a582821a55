import StrictJSON

/// What a token's header may say: which algorithm, and which key to try. Everything else is refused or ignored.
///
/// `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not even looked at (RFC 8725 §3.10): keys come from the operator's file alone.
struct TokenHeader {
    let algorithm: Algorithm
    let kid: [UInt8]?

    init(_ document: JSONDocument) throws(TokenFault) {
        var fields = Fields()
        document.forEachMember(of: document.root) { name, value in
            fields.note(document, name, value)
            return true
        }
        guard !fields.hasExtension else { throw .unsupportedHeader }
        try Self.checkType(fields.typ, document)
        guard let alg = fields.alg, let name = document.string(alg) else { throw .headerType }
        guard let algorithm = Algorithm(name.span) else { throw .unknownAlgorithm }
        self.algorithm = algorithm
        kid = try fields.kid.map { value throws(TokenFault) in
            guard let kid = document.string(value) else { throw .headerType }
            return kid
        }
    }

    /// The parameters that matter, found in one pass.
    private struct Fields {
        var alg: JSONValue?
        var kid: JSONValue?
        var typ: JSONValue?
        var hasExtension = false

        mutating func note(_ document: JSONDocument, _ name: JSONValue, _ value: JSONValue) {
            if document.isString(name, "alg") {
                alg = value
            } else if document.isString(name, "kid") {
                kid = value
            } else if document.isString(name, "typ") {
                typ = value
            } else if document.isString(name, "b64") {
                // RFC 7797: true is what everybody does anyway.
                hasExtension = hasExtension || value.kind != .true
            } else if document.isString(name, "crit") || document.isString(name, "zip") || document.isString(name, "enc") {
                hasExtension = true
            }
        }
    }

    /// Explicit typing (RFC 8725 §3.11): no security event, logout or other kind of token passes as an access token.
    private static func checkType(_ typ: JSONValue?, _ document: JSONDocument) throws(TokenFault) {
        guard let typ else { return }
        guard typ.kind == .string else { throw .headerType }
        for known in ["JWT", "at+jwt", "application/at+jwt"] where document.isString(typ, known) { return }
        throw .typ
    }
}
