import TestSupport

/// One of the two APIs as a scenario speaks it: who is who, and how a call is written.
struct Dialect: Sendable, CustomStringConvertible {
    let service: UserServiceProcess.Dialect
    /// An admin of the member's tenant.
    let admin: String
    let member: String
    let tenant: String
    let otherTenant: String
    /// Whom the service refuses to suspend.
    let protected: String
    /// In front of `/users`.
    let base: String

    static let jitsudo = Dialect(
        service: .jitsudo, admin: TestIssuers.acmeAdmin, member: TestIssuers.acmeMember, tenant: TestIssuers.acme,
        otherTenant: TestIssuers.globex, protected: TestIssuers.acmeOwner, base: "/v1")
    static let rinne = Dialect(
        service: .rinne, admin: TestIssuers.northAdmin, member: TestIssuers.northMember, tenant: TestIssuers.north,
        otherTenant: TestIssuers.south, protected: TestIssuers.rootUser, base: "/core/v1")
    static let both = [jitsudo, rinne]

    var description: String { service.rawValue }
    var isJITSudo: Bool { service == .jitsudo }

    func token(_ user: String, tenant: String? = nil, roles: [String] = [], expiresIn seconds: Int = 3600) -> String {
        let forge = isJITSudo ? TestIssuers.jitsudo : TestIssuers.rinne
        return forge.token(user: user, ["tenant_id": tenant ?? self.tenant, "roles": roles], expiresIn: seconds)
    }

    var adminToken: String { token(admin, roles: ["admin"]) }
    var memberToken: String { token(member, roles: ["member"]) }

    /// A call with the header that JITSudo requires.
    func call(
        _ method: String, _ path: String, token: String?, tenant: String? = nil, _ fields: [String] = [], body: String = ""
    ) -> String {
        request(method, base + path, token: token, tenant: tenant ?? (isJITSudo ? self.tenant : nil), fields, body: body)
    }

    /// A call that suspends or reactivates.
    func setActive(_ active: Bool, _ user: String, token: String? = nil, _ fields: [String] = []) -> String {
        let path = "/users/\(user)/" + (isJITSudo || !active ? "suspend" : "activate")
        return call("POST", path, token: token ?? adminToken, fields, body: isJITSudo ? #"{"active":\#(active)}"# : "")
    }

    /// A call that teaches the gateway nothing: a path that the services don't know. The gateway's refusal and the service's 404 differ.
    func probe(_ token: String) -> String { call("GET", "/probe", token: token) }

    /// Whether the service's own user object says that the user is suspended; nil where it is none.
    func isSuspended(_ answer: WireAnswer) -> Bool? {
        guard let json = answer.json, json["id"] is String else { return nil }
        return isJITSudo ? json["active"] as? Bool == false : json["suspended_at"] is String
    }
}

/// Whether the gateway refuses this user: true for its 403, false for the service's own answer to the probe, nil for anything else.
func isBlocked(_ answer: WireAnswer) -> Bool? {
    if answer.status == 403, answer.gatewayCode == "user_suspended" { return true }
    return answer.status == 404 && answer.gatewayCode == nil ? false : nil
}
