import Foundation
import TestSupport

/// Looks at a request that reached an upstream and says what must not be; knows nothing of the gateway's code.
struct IsolationJudge {
    func fault(of request: RecordedRequest, sentAs sent: IsolationCase) -> String? {
        let path = String(request.target.prefix { $0 != "?" })
        let tenants = request.fields.filter { folded($0.name) == "x-tenant-id" }.map(\.value)
        if let fault = crookedPath(path) { return fault }
        let overrides: Set = ["x-http-method-override", "x-original-url"]
        if request.fields.contains(where: { overrides.contains(folded($0.name)) }) { return "another method or path beside the judged" }
        if path.hasPrefix("/v1/auth/") || path == "/healthz" {
            return tenants.isEmpty && request.field("x-user-id") == nil ? nil : "a public route passed an identity on"
        }
        guard let token = sent.token, let dialect = token.dialect else { return "passed without a valid token" }
        if let fault = credentialFault(request, path, token) { return fault }
        guard (dialect == "rinne") == path.hasPrefix("/core/v1/") else { return "a token of another directory" }
        if let foreign = sent.claimedTenants.first(where: { !token.speaks(for: $0) }) { return "the client spoke for tenant \(foreign)" }
        if sent.isTricky { return "a doubled field, a second credential or a trick with fields passed" }
        return tenantFault(tenants, token, path, sent) ?? identityFault(request, token) ?? requirementFault(path, token, sent)
    }

    /// A token among the subprotocols is the gateway's alone.
    private func credentialFault(_ request: RecordedRequest, _ path: String, _ token: IsolationToken) -> String? {
        let names = request.fields.filter { folded($0.name) == "sec-websocket-protocol" }.map { $0.value.lowercased() }
        if names.contains(where: { $0.contains("bearer") }) { return "a token among the subprotocols" }
        if path.hasPrefix("/v1/socket/") {
            return request.values("authorization").isEmpty && names == ["chat.v1"] ? nil : "something beside the subprotocol passed"
        }
        return request.values("authorization") == ["Bearer \(token.text)"] ? nil : "another credential than the judged one"
    }

    private func tenantFault(_ tenants: [String], _ token: IsolationToken, _ path: String, _ sent: IsolationCase) -> String? {
        guard tenants.count <= 1 else { return "more than one X-Tenant-ID" }
        guard let tenant = tenants.first else {
            return dialectWantsTenant(path) ? "no X-Tenant-ID where one is required" : nil
        }
        guard !path.hasPrefix("/v1/anon/") else { return "an X-Tenant-ID on a route with `tenant: none`" }
        guard token.tenants.contains(tenant) else { return "X-Tenant-ID is not in the credential's spelling, or another's" }
        return nil
    }

    private func identityFault(_ request: RecordedRequest, _ token: IsolationToken) -> String? {
        let identity = request.fields.filter { folded($0.name).hasPrefix("x-user-") }
        guard identity.filter({ folded($0.name) == "x-user-id" }).map(\.value) == [token.user] else {
            return "X-User-ID is not the token's"
        }
        let roles = identity.filter { folded($0.name) == "x-user-roles" }.flatMap {
            $0.value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard roles == token.roles else { return "X-User-Roles are not the token's" }
        let credentials: Set = ["cookie", "x-api-key", "proxy-authorization"]
        guard !request.fields.contains(where: { credentials.contains(folded($0.name)) }) else { return "a second credential" }
        guard !folded(request.target.removingPercentEncoding ?? "").contains("access-token=") else {
            return "a second credential in the query"
        }
        guard !request.bodyText.lowercased().contains("tenant") else { return "a tenant in the trailers" }
        return nil
    }

    private func requirementFault(_ path: String, _ token: IsolationToken, _ sent: IsolationCase) -> String? {
        let segments = path.split(separator: "/").map { ($0.removingPercentEncoding ?? "").lowercased() }
        if segments.starts(with: ["v1", "admin"]), !token.roles.contains("admin") { return "passed without the role" }
        if segments.starts(with: ["v1", "export"]), !token.scopes.contains("export") { return "passed without the scope" }
        if sent.text.lowercased().contains(" /edge/"), !token.scopes.contains("edge") { return "passed without the scope" }
        return nil
    }

    private func crookedPath(_ path: String) -> String? {
        let plain = path.removingPercentEncoding ?? ""
        let isCrooked =
            plain.contains("..") || plain.contains("//") || plain.contains("\\") || plain.contains(";") || plain.contains("/./")
            || path.lowercased().contains("%2f") || path.contains("%25") || plain.isEmpty
        return isCrooked ? "a path that can be read in two ways" : nil
    }

    private func dialectWantsTenant(_ path: String) -> Bool { path.hasPrefix("/v1/") && !path.hasPrefix("/v1/anon/") }

    /// As the sloppiest server reads it.
    private func folded(_ name: String) -> String { String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }) }
}
