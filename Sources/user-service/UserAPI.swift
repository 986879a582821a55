import Foundation

/// One dialect: which calls there are, and how it writes users and errors.
protocol UserAPI: Sendable {
    var store: UserStore { get }

    /// Does what the request asks. Throws `ServiceError`; anything else is a failing database.
    func route(_ request: ServiceRequest) throws -> ServiceAnswer
    func render(_ user: DemoUser) -> JSONText
    func render(_ error: ServiceError) -> JSONText
}

extension UserAPI {
    /// The whole answer to any request. Blocks on the database: never call it on an event loop.
    func answer(to request: ServiceRequest) -> ServiceAnswer {
        if request.path == ["healthz"] { return health(request) }
        var request = request
        if request.method == "HEAD" { request.method = "GET" }
        do {
            return try route(request)
        } catch let error as ServiceError {
            return refusal(error)
        } catch {
            return refusal(.unavailable)
        }
    }

    func refusal(_ error: ServiceError) -> ServiceAnswer {
        ServiceAnswer(error.status, render(error), allow: error.allow)
    }

    /// 200 with the user as it is now.
    func answer(_ user: DemoUser) -> ServiceAnswer {
        ServiceAnswer(200, render(user), commitNumber: user.commitNumber)
    }

    /// 201 with the new user.
    func insert(_ user: DemoUser) throws -> ServiceAnswer {
        guard let created = try store.create(user) else { throw ServiceError.taken }
        return ServiceAnswer(201, render(created), commitNumber: created.commitNumber)
    }

    /// The service's own policy: a caller whom the gateway has verified must be an admin to suspend others.
    func requireAdmin(_ request: ServiceRequest) throws {
        guard let caller = request.caller else { return }
        guard caller.roles.contains("admin") else { throw ServiceError.adminsOnly }
    }

    /// The public login call. Every password is right here, and tokens are minted elsewhere: it only says who would be logged in.
    func logIn(_ request: ServiceRequest, emailField: String) throws -> ServiceAnswer {
        guard request.method == "POST" else { throw ServiceError.methodNotAllowed("POST") }
        let email = try RequestBody(request.body).text(emailField)
        guard let user = try store.user(email: email) else { throw ServiceError.unauthenticated }
        guard user.isActive else { throw ServiceError(status: 403, code: .forbidden, message: "This user is suspended.") }
        return ServiceAnswer(200, .object([("user_id", .string(user.id)), ("token", .null)]))
    }

    private func health(_ request: ServiceRequest) -> ServiceAnswer {
        guard ["GET", "HEAD"].contains(request.method) else { return refusal(.methodNotAllowed("GET, HEAD")) }
        return ServiceAnswer(200, .object([("status", .string("ok"))]))
    }
}

/// A new random uuid in upper case.
func newUUID() -> String { UUID().uuidString }
