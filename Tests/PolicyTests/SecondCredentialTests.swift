import Policy
import Testing

/// Second credentials (SPEC §2): names in every spelling that a server may take for them.
@Suite struct SecondCredentialTests {
    private let plain = SecondCredential()

    private func isRefused(_ query: String, _ rule: SecondCredential) -> Bool {
        do throws(Denial) {
            try rule.check(query: bytes(query).span)
            return false
        } catch {
            return error == .ambiguousCredential
        }
    }

    @Test(
        "a field that carries a credential is one in any spelling",
        arguments: [
            "X-API-Key", "x-api-key", "X_API_KEY", "x-Api_key", "X.API.Key", "x~api!key", "Cookie", "COOKIE", "Proxy-Authorization",
            "proxy_authorization", "Proxy.Authorization", "Proxy|authorization",
        ])
    func headers(name: String) {
        #expect(plain.isHeader(name))
    }

    @Test(
        "other fields are none",
        arguments: [
            "", "Authorization", "X-API-Keys", "X-API-Ke", "XAPIKey", "X--API-Key", "Cookie2", "Set-Cookie", "Host", "Accept",
            "access_token", "X.API.Keys", "X.API..Key", "X0API0Key",
        ])
    func otherHeaders(name: String) {
        #expect(!plain.isHeader(name))
    }

    @Test(
        "access_token in the query is one in any spelling",
        arguments: [
            "access_token=x", "a=1&access_token=x", "ACCESS_TOKEN=x", "access-token=x", "access_token", "access_token=", "access%5Ftoken=x",
            "access%5ftoken", "%61ccess_token=x", "a&&access_token", "a;access_token=x", "a=b;c&access_token=x", "access_token[]=x",
            "access_token%5B0%5D=x", "access_token%00x=1", "access.token=x", "access+token=x", "access%20token=x", "+access_token=x",
            "%20access_token=x", "?access_token=x", "access_token&access_token", "=x&access_token=x", "%zz&access_token=x",
            "a=%&access_token", "access[token=x", "access%5Btoken=x", "access[token", "access_token[x",
        ])
    func queries(query: String) {
        #expect(isRefused(query, plain))
    }

    @Test(
        "other queries carry none",
        arguments: [
            "", "a=access_token", "page=1&limit=20", "access_tokens=x", "access_toke=x", "xaccess_token=x", "access%255Ftoken=x",
            "access__token=x",
            "a=1%26access_token=x", "a%26access_token=x", "a=?access_token=x", "accesstoken=x", "access_token%3Dx=1", "&", "=", ";;",
            "[access_token]", "access[token]=x", "access[=token",
        ])
    func otherQueries(query: String) {
        #expect(!isRefused(query, plain))
    }

    @Test("a dialect's further names count as fields and as parameters")
    func others() {
        let rule = SecondCredential(others: ["X-Merchant-Key"])
        for name in ["x_merchant_key", "X.Merchant.Key", "x`merchant'key"] { #expect(rule.isHeader(name)) }
        #expect(rule.isHeader("cookie"))
        #expect(isRefused("a&x-merchant%2Dkey=1", rule))
        #expect(!plain.isHeader("x-merchant-key"))
        #expect(!isRefused("x-merchant-key=1", plain))
    }

    @Test("what a route allows by name passes, in any spelling, and nothing else")
    func allowed() {
        let rule = SecondCredential(others: ["merchant"], allowed: ["X_API_Key", "access-token", "Merchant"])
        #expect(!rule.isHeader("x-api-key"))
        #expect(!rule.isHeader("merchant"))
        #expect(rule.isHeader("cookie"))
        #expect(!isRefused("access_token=1&merchant=2", rule))
    }

    @Test("a _method parameter and a fragment are refused on every route")
    func everyQuery() throws {
        for query in ["_method=DELETE", "a=1&_METHOD=PUT", "%5Fmethod=x", "a;_method=x", "_method[]=x"] {
            #expect(throws: Denial.badRequest) { try RequestQuery.check(bytes(query).span) }
        }
        for query in ["a#b", "#", "_method#"] { #expect(throws: Denial.ambiguousPath) { try RequestQuery.check(bytes(query).span) } }
        for query in ["", "method=x", "a=_method", "__method=x", "access_token=x", "a/b?c", "$method=x"] {
            try RequestQuery.check(bytes(query).span)
        }
    }

    @Test("our own field is known in every spelling")
    func spelling() {
        let name = NameSpelling("X-Tenant-ID")
        for spelled in ["X-Tenant-ID", "x_tenant_id", "X_Tenant-ID", "x.tenant.id"] { #expect(name.matches(spelled)) }
        for other in ["X-Tenant-IDs", "X-TenantID", "Tenant-ID", ""] { #expect(!name.matches(other)) }
    }
}
