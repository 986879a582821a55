package import StrictJSON

/// Why an answer teaches nothing: the closed list. Nothing of the answer's content is in it.
package enum Silence: Error, Sendable, Equatable {
    /// The dialect doesn't say what to read in answers to this call.
    case nothingDeclared
    /// Not a status by which the service says that the user is now so: only 200 and 201 (and 204 with `means`).
    case status(Int)
    /// A `Content-Encoding` other than identity: the gateway asked for identity.
    case contentCoding
    /// A `Content-Type` that is not JSON in UTF-8.
    case contentType
    case empty
    case json(JSONError)
    case notAnObject
    /// There is no list where the dialect says that it stands.
    case noList
    case noID
    /// The id is neither a string nor an integer.
    case idType
    /// The id doesn't fit the dialect's `id_format`.
    case idFormat
    /// The id is not the one in the path.
    case anotherUser
    /// Neither the call nor the answer says who is meant.
    case nobodyNamed
    /// `means: asked`, and it isn't known what was asked for.
    case nothingAsked
    /// The boolean that tells the state is missing.
    case noState
    /// What tells the state is of another type.
    case stateType
    /// A string that is not an RFC 3339 date-time.
    case stateDate
    /// A list names one user with two states.
    case contradiction
}

extension Silence {
    /// For people: a sentence without subject, as in "teaches nothing: …".
    package var words: String {
        switch self {
        case .nothingDeclared: "the dialect doesn't say what answers to this call teach (`answers`, `means`, `user`)"
        case .status(let status):
            "status \(status) doesn't say that the user is so now: 200 and 201 do, and 204 where the call has `means`"
        case .contentCoding: "the body is coded (Content-Encoding); the gateway asks for identity"
        case .contentType: "the Content-Type is not application/json or …+json in UTF-8"
        case .empty: "there is no body; a call that answers without one needs `means`"
        case .json(let error): "the body is not strict JSON: \(error)"
        case .notAnObject: "there is no JSON object where a user should be"
        case .noList: "there is no array at the pointer `items`"
        case .noID: "there is nothing at the pointer `user.id`"
        case .idType: "the id is neither a string nor an integer written in digits"
        case .idFormat: "the id doesn't fit the dialect's `id_format`"
        case .anotherUser: "the id is not the one in the path, or in the request's body"
        case .nobodyNamed: "neither the call nor the answer says which user is meant"
        case .nothingAsked: "it stands for what the call's body asked for, which isn't known"
        case .noState: "there is nothing at the pointer `user.suspended.field`"
        case .stateType: "the field that tells the state has another type than `user.suspended.is` says"
        case .stateDate: "the field that tells the state is not an RFC 3339 date-time"
        case .contradiction: "the list names this user with two states"
        }
    }
}
