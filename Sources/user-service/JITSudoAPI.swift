/// JITSudo's user API: `/v1/users`, one tenant per request, named by `X-Tenant-ID`.
struct JITSudoAPI: UserAPI {
    let store: UserStore

    func route(_ request: ServiceRequest) throws -> ServiceAnswer {
        switch (request.path.count, request.path.first, request.path.dropFirst().first) {
        case (2, "v1", "users"): try users(request)
        case (3, "v1", "users"): try user(request, id: request.path[2].uppercased())
        case (4, "v1", "users") where request.path[3] == "suspend": try suspend(request, id: request.path[2].uppercased())
        case (3, "v1", "auth") where request.path[2] == "login": try logIn(request, emailField: "email")
        default: throw ServiceError.noSuchPath
        }
    }

    func render(_ user: DemoUser) -> JSONText {
        var members: [(name: String, value: JSONText)] = [
            ("id", .string(user.id)),
            ("email", .string(user.email)),
            ("name", .string("\(user.firstName) \(user.lastName)")),
            ("roles", .strings(user.roles)),
            ("auth_provider", .string("local")),
            ("active", .boolean(user.isActive)),
            ("email_verified", .boolean(user.emailVerified)),
            ("is_owner", .boolean(user.isOwner)),
            ("created_at", .string(user.createdAt)),
            ("updated_at", .string(user.updatedAt)),
        ]
        if let avatar = user.avatar { members.append(("avatar_base64", .string(avatar))) }
        return .object(members)
    }

    func render(_ error: ServiceError) -> JSONText {
        var members: [(name: String, value: JSONText)] = [("code", .string(error.code.rawValue)), ("message", .string(error.message))]
        if !error.notices.isEmpty { members.append(("notices", .strings(error.notices))) }
        return .object(members)
    }

    private func users(_ request: ServiceRequest) throws -> ServiceAnswer {
        let tenant = try tenant(of: request)
        switch request.method {
        case "GET":
            var (page, total) = try store.users(tenant: tenant, limit: Int.max)
            if let email = request.query["email"] {
                page = page.filter { $0.email.lowercased() == email.lowercased() }
                total = page.count
            }
            return ServiceAnswer(200, .object([("users", .array(page.map(render))), ("total", .integer(total))]))
        case "POST": return try create(request, tenant: tenant)
        default: throw ServiceError.methodNotAllowed("GET, HEAD, POST")
        }
    }

    private func user(_ request: ServiceRequest, id: String) throws -> ServiceAnswer {
        let tenant = try tenant(of: request)
        switch request.method {
        case "GET":
            guard let user = try store.user(id), user.belongs(to: tenant) else { throw ServiceError.noSuchUser }
            return answer(user)
        case "PATCH":
            let edit = try UserEdit(body: request.body)
            return try change(id, tenant: tenant) { try edit.apply(to: &$0, at: $1) }
        default: throw ServiceError.methodNotAllowed("GET, HEAD, PATCH")
        }
    }

    private func suspend(_ request: ServiceRequest, id: String) throws -> ServiceAnswer {
        guard request.method == "POST" else { throw ServiceError.methodNotAllowed("POST") }
        let tenant = try tenant(of: request)
        let active = try RequestBody(request.body).flag("active")
        try requireAdmin(request)
        return try change(id, tenant: tenant) { user, now in
            if user.isOwner && !active { throw ServiceError.ownerIsProtected }
            user.setActive(active, at: now)
        }
    }

    private func create(_ request: ServiceRequest, tenant: String) throws -> ServiceAnswer {
        let body = try RequestBody(request.body)
        let names = try body.text("name").split(separator: " ", maxSplits: 1).map(String.init)
        let now = timestamp()
        return try insert(
            DemoUser(
                id: newUUID(), tenants: [tenant], email: try body.text("email"), firstName: names.first ?? "",
                lastName: names.dropFirst().first ?? "", roles: try body.texts("roles"), emailVerified: false, createdAt: now,
                updatedAt: now))
    }

    private func change(_ id: String, tenant: String, _ edit: (inout DemoUser, String) throws -> Void) throws -> ServiceAnswer {
        let changed = try store.change(id) { user, now in
            guard user.belongs(to: tenant) else { throw ServiceError.noSuchUser }
            try edit(&user, now)
        }
        guard let changed else { throw ServiceError.noSuchUser }
        return answer(changed)
    }

    /// The tenant of the request, upper case. The gateway has held it to the credential; that the caller is of that tenant is checked here
    /// once more, as far as the caller is known here.
    private func tenant(of request: ServiceRequest) throws -> String {
        guard request.hasCredential else { throw ServiceError.unauthenticated }
        guard let header = request.field("x-tenant-id") else { throw ServiceError.badRequest("The header X-Tenant-ID is required once.") }
        let tenant = header.uppercased()
        if let caller = request.caller, let user = try store.user(caller.user.uppercased()), !user.belongs(to: tenant) {
            throw ServiceError.tenantMismatch
        }
        return tenant
    }
}
