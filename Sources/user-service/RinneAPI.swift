/// Rinne's user API: `/core/v1/users`, one namespace for all companies.
struct RinneAPI: UserAPI {
    let store: UserStore

    /// The most users on one page.
    private static let pageLimit = 100

    func route(_ request: ServiceRequest) throws -> ServiceAnswer {
        guard request.path.count >= 3, request.path[0] == "core", request.path[1] == "v1" else { throw ServiceError.noSuchPath }
        let rest = Array(request.path[2...])
        return switch (rest.count, rest[0]) {
        case (1, "users"): try users(request)
        case (2, "users"): try user(request, id: rest[1])
        case (3, "users") where rest[2] == "suspend": try setActive(false, request, id: rest[1])
        case (3, "users") where rest[2] == "activate": try setActive(true, request, id: rest[1])
        case (3, "auth") where rest[1] == "login" && rest[2] == "password": try logIn(request, emailField: "identifier")
        default: throw ServiceError.noSuchPath
        }
    }

    func render(_ user: DemoUser) -> JSONText {
        .object([
            ("id", .string(user.id)),
            ("identifiers", .strings([user.email])),
            ("primary_identifier", .string(user.email)),
            ("auth_methods", .strings(["password"])),
            ("roles", .array(roles(of: user))),
            ("first_name", .string(user.firstName)),
            ("last_name", .string(user.lastName)),
            ("suspended_at", .optional(user.suspendedAt)),
            ("metadata", .object([("protected", .boolean(user.isOwner))])),
            ("created_at", .string(user.createdAt)),
            ("updated_at", .string(user.updatedAt)),
        ])
    }

    func render(_ error: ServiceError) -> JSONText {
        let code = error.code == .badRequest ? "VALIDATION_ERROR" : error.code.rawValue.uppercased()
        return .object([("error", .object([("code", .string(code)), ("message", .string(error.message))]))])
    }

    private func roles(of user: DemoUser) -> [JSONText] {
        user.tenants.flatMap { company in
            user.roles.map { role in
                .object([("name", .string(role)), ("company_id", .string(company)), ("organization_id", .string("org_1"))])
            }
        }
    }

    private func users(_ request: ServiceRequest) throws -> ServiceAnswer {
        guard request.hasCredential else { throw ServiceError.unauthenticated }
        switch request.method {
        case "GET": return try list(request)
        case "POST": return try create(request)
        default: throw ServiceError.methodNotAllowed("GET, HEAD, POST")
        }
    }

    private func list(_ request: ServiceRequest) throws -> ServiceAnswer {
        guard let page = Int(request.query["page"] ?? "1"), let limit = Int(request.query["limit"] ?? "20"), (1...1_000_000).contains(page),
            (1...Self.pageLimit).contains(limit)
        else { throw ServiceError.badRequest("page starts at 1, limit is at most \(Self.pageLimit).") }
        let (users, total) = try store.users(tenant: nil, offset: (page - 1) * limit, limit: limit)
        let pages = (total + limit - 1) / limit
        return ServiceAnswer(
            200,
            .object([
                ("data", .array(users.map(render))),
                (
                    "pagination",
                    .object([
                        ("page", .integer(page)), ("limit", .integer(limit)), ("total", .integer(total)), ("totalPages", .integer(pages)),
                        ("hasNext", .boolean(page < pages)), ("hasPrev", .boolean(page > 1)),
                    ])
                ),
            ]))
    }

    private func user(_ request: ServiceRequest, id: String) throws -> ServiceAnswer {
        guard request.hasCredential else { throw ServiceError.unauthenticated }
        switch request.method {
        case "GET":
            guard let user = try store.user(id) else { throw ServiceError.noSuchUser }
            return answer(user)
        case "PATCH":
            let edit = try UserEdit(body: request.body)
            guard let changed = try store.change(id, edit.apply) else { throw ServiceError.noSuchUser }
            return answer(changed)
        default: throw ServiceError.methodNotAllowed("GET, HEAD, PATCH")
        }
    }

    private func setActive(_ active: Bool, _ request: ServiceRequest, id: String) throws -> ServiceAnswer {
        guard request.method == "POST" else { throw ServiceError.methodNotAllowed("POST") }
        guard request.hasCredential else { throw ServiceError.unauthenticated }
        if !request.body.isEmpty { _ = try RequestBody(request.body) }
        try requireAdmin(request)
        let changed = try store.change(id) { user, now in
            if user.isOwner && !active { throw ServiceError.ownerIsProtected }
            user.setActive(active, at: now)
        }
        guard let changed else { throw ServiceError.noSuchUser }
        return answer(changed)
    }

    private func create(_ request: ServiceRequest) throws -> ServiceAnswer {
        let body = try RequestBody(request.body)
        let now = timestamp()
        return try insert(
            DemoUser(
                id: "usr_" + newUUID().lowercased(), tenants: try body.texts("companies"), email: try body.text("primary_identifier"),
                firstName: try body.text("first_name"), lastName: try body.text("last_name"), createdAt: now, updatedAt: now))
    }
}
