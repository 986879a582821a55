package import Policy
import StrictJSON

/// What the caller of a suspend or reactivate call wants, read from its body before anything is written (SPEC §4 step 1).
package enum IntentReading {
    /// The state that the call asks for. Throws `.badRequest` for a body that two parsers could read differently, or that doesn't say.
    ///
    /// Where a field decides, the body must be strict JSON with a boolean there. Where the call itself decides, there may be no body or
    /// any JSON object. The two fields are as received, nil where not sent; a missing `Content-Type` is taken for JSON.
    package static func wanted(
        by intent: DialectCall.Intent, body: [UInt8], contentType: [UInt8]?, contentEncoding: [UInt8]? = nil
    ) throws(Denial) -> UserState {
        guard isIdentityCoding(contentEncoding) else { throw .badRequest }
        switch intent {
        case .suspend:
            if !body.isEmpty { _ = try object(body, contentType) }
            return .suspended
        case .activate:
            if !body.isEmpty { _ = try object(body, contentType) }
            return .active
        case .field(let pointer, let suspend):
            return try flag(pointer, in: object(body, contentType)) == suspend ? .suspended : .active
        }
    }

    private static func object(_ body: [UInt8], _ contentType: [UInt8]?) throws(Denial) -> JSONDocument {
        guard isJSONType(contentType), let document = try? JSONDocument(body, limits: .intent), document.root.kind == .object else {
            throw .badRequest
        }
        return document
    }

    /// The boolean at `pointer`. A name beside it that differs in ASCII case only is refused: some parsers take it for the same.
    private static func flag(_ pointer: JSONPointer, in document: JSONDocument) throws(Denial) -> Bool {
        var value = document.root
        for step in pointer.steps {
            guard let next = document.value(at: [step], from: value), !hasLookalike(of: step, in: value, document) else {
                throw .badRequest
            }
            value = next
        }
        guard let flag = document.bool(value) else { throw .badRequest }
        return flag
    }

    private static func hasLookalike(of name: [UInt8], in object: JSONValue, _ document: JSONDocument) -> Bool {
        let folded = folded(name)
        var found = false
        document.forEachMember(of: object) { other, _ in
            guard let spelling = document.string(other) else { return true }
            found = spelling != name && Self.folded(spelling) == folded
            return !found
        }
        return found
    }

    private static func folded(_ name: [UInt8]) -> [UInt8] { name.map { 65...90 ~= $0 ? $0 | 0x20 : $0 } }
}
