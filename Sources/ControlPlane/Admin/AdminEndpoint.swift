import Policy

/// One method of one path of the API: what it takes and answers, for people, for the document and for the server alike.
struct AdminEndpoint: Sendable {
    /// What a body may be.
    enum Body: Sendable, Equatable {
        case none
        /// One JSON object of this schema.
        case json(String)
        /// JSON Lines of suspensions.
        case lines
    }

    struct Parameter: Sendable {
        let name: String
        let schema: SchemaValue
        let meaning: String
        /// Bytes of a text; nil for what is none, and then can't be empty either.
        var most: Int?
    }

    struct Answer: Sendable {
        let status: UInt16
        /// One of `AdminSchemas`; each line of it where the answer is JSON Lines.
        let schema: String
        var isLines = false
        let meaning: String
    }

    typealias Reply = @Sendable (AdminAnswer) -> Void

    let method: String
    let path: String
    let role: AdminRole
    let summary: String
    var parameters: [Parameter] = []
    var body = Body.none
    let answers: [Answer]
    /// The refusals that are its own, beside those that every endpoint has.
    var refusals: [AdminRefusal] = []
    /// Its answer may never end.
    var follows = false
    /// Calls `Reply` once, on any thread; runs on the admin listener's loop and may take milliseconds there.
    let act: @Sendable (AdminAPI, AdminRequest, @escaping Reply) -> Void

    /// What every endpoint may answer.
    static let common: [AdminRefusal] = [
        .badRequest, .unauthenticated, .invalidToken, .insufficientRole, .hostNotAllowed, .originNotAllowed, .bodyTooLarge, .rateLimited,
        .overloaded, .starting,
    ]
}

extension AdminEndpoint.Body {
    /// Bytes at most.
    var limit: Int {
        switch self {
        case .none: 0
        case .json: Limits.adminBody
        case .lines: Limits.adminImportBody
        }
    }

    /// Its media type; nil where there must be no body.
    var type: String? {
        switch self {
        case .none: nil
        case .json: "application/json"
        case .lines: AdminAnswer.lines
        }
    }
}

extension AdminEndpoint.Parameter {
    static func text(_ name: String, _ meaning: String, most: Int = Limits.idBytes) -> Self {
        Self(name: name, schema: .object([("type", .string("string")), ("maxLength", .integer(most))]), meaning: meaning, most: most)
    }

    static func number(_ name: String, _ range: ClosedRange<Int>, _ meaning: String) -> Self {
        let schema: SchemaValue = .object([
            ("type", .string("integer")), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound)),
        ])
        return Self(name: name, schema: schema, meaning: meaning)
    }

    static func flag(_ name: String, _ meaning: String) -> Self {
        Self(name: name, schema: .object([("type", .string("boolean"))]), meaning: meaning)
    }

    static func choice(_ name: String, _ words: [String], _ meaning: String) -> Self {
        Self(name: name, schema: .object([("type", .string("string")), ("enum", .array(words.map(SchemaValue.string)))]), meaning: meaning)
    }
}
