import Policy
import StrictJSON

/// Every way in which the admin listener says no: the closed list of its codes.
enum AdminRefusal: String, Error, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case importRefused = "import_refused"
    case unauthenticated
    case invalidToken = "invalid_token"
    case insufficientRole = "insufficient_role"
    case hostNotAllowed = "host_not_allowed"
    case originNotAllowed = "origin_not_allowed"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case notSuspended = "not_suspended"
    case importInProgress = "import_in_progress"
    case reconcileInProgress = "reconcile_in_progress"
    case reloadRefused = "reload_refused"
    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case rateLimited = "rate_limited"
    case suspensionNotDurable = "suspension_not_durable"
    case outcomeUnknown = "outcome_unknown"
    case overloaded
    case starting
    case draining

    var status: UInt16 {
        switch self {
        case .badRequest, .importRefused: 400
        case .unauthenticated, .invalidToken: 401
        case .insufficientRole, .hostNotAllowed, .originNotAllowed: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .notSuspended, .importInProgress, .reconcileInProgress, .reloadRefused: 409
        case .bodyTooLarge: 413
        case .unsupportedMediaType: 415
        case .rateLimited: 429
        case .suspensionNotDurable, .outcomeUnknown, .overloaded, .starting, .draining: 503
        }
    }

    /// What a person reads where nothing more is known.
    var message: String {
        switch self {
        case .badRequest: "The request is malformed."
        case .importRefused: "A line is bad: nothing was imported."
        case .unauthenticated: "Send a token of the file's admin.tokens: Authorization: Bearer TOKEN."
        case .invalidToken: "The token is none of the file's admin.tokens."
        case .insufficientRole: "This takes a token with the role operator."
        case .hostNotAllowed: "Ask by an address, by localhost, or by a name of admin.hosts."
        case .originNotAllowed: "A page of another origin can't use this."
        case .notFound: "There is nothing here; GET /api/openapi.json tells what there is."
        case .methodNotAllowed: "This method is not allowed here."
        case .requestTimeout: "The request did not arrive in time."
        case .notSuspended: "The user is not blocked so."
        case .importInProgress: "Another import is in progress. Wait for it."
        case .reconcileInProgress: "A run that was asked for is in progress. Wait for it: GET /api/reconcile."
        case .reloadRefused: "The file can't be put in force; what was before goes on."
        case .bodyTooLarge: "The body is larger than allowed here."
        case .unsupportedMediaType: "Send this body with the Content-Type that the API's document names."
        case .rateLimited: "Too many wrong tokens from here. Wait a minute; a good token is always taken."
        case .suspensionNotDurable: "Not durable: the ledger can't be written. Make room on its disk, then repeat."
        case .outcomeUnknown: "Nobody knows yet whether it was done. Look at the log and the list, then repeat."
        case .overloaded: "Too much is going on. Try again shortly."
        case .starting: "The gateway is starting: it loads the ledger."
        case .draining: "This process of the gateway is ending. Nothing has changed; if another one takes over, it answers in a moment."
        }
    }

    /// The answer, in the flat envelope. `details` writes the members of `details`.
    func answer(_ message: String? = nil, details: ((inout JSONWriter) -> Void)? = nil) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.member("code", rawValue)
        json.member("message", message ?? self.message)
        if let details {
            json.name("details")
            json.beginObject()
            details(&json)
            json.endObject()
        }
        json.endObject()
        var answer = AdminAnswer(json, status: status)
        switch self {
        case .unauthenticated: answer.fields.append(("WWW-Authenticate", "Bearer realm=\"tenantgate admin\""))
        case .invalidToken: answer.fields.append(("WWW-Authenticate", "Bearer realm=\"tenantgate admin\", error=\"invalid_token\""))
        case .rateLimited: answer.fields.append(("Retry-After", "60"))
        case .starting, .overloaded, .draining: answer.fields.append(("Retry-After", "1"))
        default: break
        }
        return answer
    }
}
