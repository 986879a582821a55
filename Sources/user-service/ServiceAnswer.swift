/// What the service answers: a status, JSON, and the commit that it tells of.
struct ServiceAnswer: Sendable {
    var status: Int
    var json: JSONText?
    /// The user's last commit: `X-Commit-Number`.
    var commitNumber: Int64?
    /// Methods that the path takes, for 405.
    var allow: String?

    init(_ status: Int, _ json: JSONText?, commitNumber: Int64? = nil, allow: String? = nil) {
        self.status = status
        self.json = json
        self.commitNumber = commitNumber
        self.allow = allow
    }
}

/// Why the service refuses, before a dialect puts it in its envelope.
struct ServiceError: Error {
    var status: Int
    var code: Code
    var message: String
    /// The policies that decided (JITSudo's `notices`).
    var notices: [String] = []
    var allow: String?

    enum Code: String, Sendable {
        case badRequest = "bad_request"
        case unauthenticated
        case forbidden
        case tenantMismatch = "tenant_mismatch"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case conflict
        case internalError = "internal_error"
    }

    static func badRequest(_ message: String) -> Self { Self(status: 400, code: .badRequest, message: message) }

    static let unauthenticated = Self(status: 401, code: .unauthenticated, message: "A credential is required.")
    static let noSuchUser = Self(status: 404, code: .notFound, message: "There is no such user.")
    static let noSuchPath = Self(status: 404, code: .notFound, message: "There is no such resource.")
    static let taken = Self(status: 409, code: .conflict, message: "There is such a user already.")
    static let unavailable = Self(status: 500, code: .internalError, message: "The users can't be read or written.")
    static let tenantMismatch = Self(
        status: 403, code: .tenantMismatch, message: "The tenant must match the tenant associated with the credential.",
        notices: ["tenants are isolated"])
    static let ownerIsProtected = Self(
        status: 403, code: .forbidden, message: "This user can't be suspended.", notices: ["owners can't be suspended"])
    static let adminsOnly = Self(
        status: 403, code: .forbidden, message: "Only an admin may suspend a user.", notices: ["only admins suspend"])

    static func methodNotAllowed(_ allow: String) -> Self {
        Self(status: 405, code: .methodNotAllowed, message: "This method is not allowed here.", allow: allow)
    }
}

/// The name of a dialect on the command line.
enum DialectName: String, Sendable, CaseIterable {
    case jitsudo, rinne
}
