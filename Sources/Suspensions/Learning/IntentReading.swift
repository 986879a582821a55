package import Policy
import StrictJSON

/// What the caller of a suspend or reactivate call wants, and of whom where the path doesn't say: read from the request's body before
/// anything is written (SPEC §4 step 1). Made once per call when the file is loaded.
package struct IntentReading: Sendable {
    let intent: DialectCall.Intent
    let request: JSONPointer?
    let format: IDFormat

    /// Nil for a call that changes nobody's state.
    package init?(_ call: DialectCall, of dialect: Dialect) {
        guard let intent = call.intent else { return nil }
        (self.intent, request, format) = (intent, call.request, dialect.idFormat)
    }

    /// The state that the call asks for, and the user whom its body names; nil where that is not the body's to say.
    ///
    /// Throws `.badRequest` for a body that two parsers could read differently, or that doesn't say. Where a field decides or names the user,
    /// the body must be strict JSON with a boolean or an id of the dialect's format there. Where the call itself decides, there may be no
    /// body or any JSON object. The two fields are as received, nil where not sent; a missing `Content-Type` is taken for JSON.
    package func read(
        body: [UInt8], contentType: [UInt8]?, contentEncoding: [UInt8]? = nil
    ) throws(Denial) -> (wanted: UserState, user: UserID?) {
        guard isIdentityCoding(contentEncoding) else { throw .badRequest }
        let mayBeEmpty = request == nil && intent.isFixed
        let document = body.isEmpty && mayBeEmpty ? nil : try Self.object(body, contentType)
        let wanted: UserState
        switch intent {
        case .suspend: wanted = .suspended
        case .activate: wanted = .active
        case .field(let pointer, let suspend):
            guard let document, let flag = document.bool(try Self.value(at: pointer, in: document)) else { throw .badRequest }
            wanted = flag == suspend ? .suspended : .active
        }
        guard let request else { return (wanted, nil) }
        guard let document, let user = try? document.user(try Self.value(at: request, in: document), format) else { throw .badRequest }
        return (wanted, user)
    }

    private static func object(_ body: [UInt8], _ contentType: [UInt8]?) throws(Denial) -> JSONDocument {
        guard isJSONType(contentType), let document = try? JSONDocument(body, limits: .intent), document.root.kind == .object else {
            throw .badRequest
        }
        return document
    }

    /// The value at `pointer`. A name beside it that differs in ASCII case only is refused: some parsers take it for the same.
    private static func value(at pointer: JSONPointer, in document: JSONDocument) throws(Denial) -> JSONValue {
        var value = document.root
        for step in pointer.steps {
            guard let next = document.value(at: [step], from: value), !hasLookalike(of: step, in: value, document) else {
                throw .badRequest
            }
            value = next
        }
        return value
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

extension DialectCall.Intent {
    /// Whether the call itself says what is wanted.
    fileprivate var isFixed: Bool { if case .field = self { false } else { true } }
}
