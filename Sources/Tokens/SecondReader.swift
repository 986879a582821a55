import CJWT
import Glibc
import Policy
import StrictJSON

/// libjwt's own reading of a header and a payload, beside ours (SPEC §2): two JSON parsers that differ on who issued a token, for
/// whom, and how it is signed are what parser-differential attacks are made of, so such a token is refused.
///
/// It is asked after the signature was found valid: libjwt's parser never sees a byte that no known issuer signed.
// A jwt_t is made for each token: `jwt_add_grants_json` would merge into what an earlier one left.
@safe struct SecondReader: ~Copyable {
    private let jwt: OpaquePointer

    /// Nil where libjwt refuses what we took.
    init?(_ token: CompactToken) {
        var made: OpaquePointer?
        guard unsafe jwt_new(&made) == 0, let made = unsafe made else { return nil }
        guard unsafe Self.withCString(token.header.bytes, { unsafe jwt_add_headers_json(made, $0) }) == 0,
            unsafe Self.withCString(token.payload.bytes, { unsafe jwt_add_grants_json(made, $0) }) == 0
        else {
            unsafe jwt_free(made)
            return nil
        }
        unsafe jwt = made
    }

    deinit { unsafe jwt_free(jwt) }

    /// Whether libjwt reads the same algorithm, key name, issuer, user and tenants.
    func agrees(_ header: TokenHeader, _ block: CredentialBlock, _ claims: VerifiedClaims) -> Bool {
        isHeader("alg", header.algorithm.name) && isHeader("kid", header.kid) && isIssuer(block.issuer)
            && isClaim(block.claims.user, .text(claims.userText))
            && isClaim(block.claims.tenant, Reading(claims.tenants))
    }

    /// What ours made of a claim.
    private enum Reading {
        /// Absent, or an empty array, which means the same.
        case nothing
        case text([UInt8])
        case texts([[UInt8]])

        init(_ tenants: TenantClaim) {
            switch tenants {
            case .none: self = .nothing
            case .one(let tenant): self = .text(tenant.spelling)
            case .many(let tenants): self = .texts(tenants.map(\.spelling))
            }
        }
    }
}

extension SecondReader {
    private func isHeader(_ name: String, _ expected: StaticString) -> Bool {
        expected.withUTF8Buffer { expected in
            unsafe Self.equal(jwt_get_header(jwt, name), expected)
        }
    }

    private func isHeader(_ name: String, _ expected: [UInt8]?) -> Bool {
        guard let expected else { return unsafe Self.isAbsent(jwt_get_headers_json(jwt, name)) }
        return unsafe expected.withUnsafeBufferPointer { unsafe Self.equal(jwt_get_header(jwt, name), $0) }
    }

    private func isIssuer(_ expected: [UInt8]?) -> Bool {
        guard let expected else { return unsafe Self.isAbsent(jwt_get_grants_json(jwt, "iss")) }
        return unsafe expected.withUnsafeBufferPointer { unsafe Self.equal(jwt_get_grant(jwt, "iss"), $0) }
    }

    /// A string at the root is asked for by name. Everything deeper libjwt gives only as JSON text of the member at the root.
    private func isClaim(_ path: ClaimPath, _ expected: Reading) -> Bool {
        unsafe Self.withCString(path.steps[0]) { name in
            if case .text(let text) = expected, path.steps.count == 1 {
                return unsafe text.withUnsafeBufferPointer { unsafe Self.equal(jwt_get_grant(jwt, name), $0) }
            }
            guard let json = unsafe jwt_get_grants_json(jwt, name) else {
                if case .nothing = expected { return true }
                return false
            }
            defer { unsafe free(json) }
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: json, count: strlen(json)))
            return Self.isSame(bytes, Array(path.steps.dropFirst()), expected)
        }
    }

    private static func isSame(_ json: [UInt8], _ rest: [[UInt8]], _ expected: Reading) -> Bool {
        guard let document = try? JSONDocument(json, limits: .token) else { return false }
        let value = rest.isEmpty ? document.root : document.value(at: rest)
        switch expected {
        case .nothing: return value.map { $0.kind == .array && document.element(0, of: $0) == nil } ?? true
        case .text(let text): return value.map { document.isString($0, text.span) } ?? false
        case .texts(let texts):
            guard let value, value.kind == .array else { return false }
            var index = 0
            var isSame = true
            document.forEachElement(of: value) { element in
                let text = index < texts.count ? texts[index] : []
                isSame = index < texts.count && document.isString(element, text.span)
                index += 1
                return isSame
            }
            return isSame && index == texts.count
        }
    }
}

// MARK: C strings

extension SecondReader {
    /// Neither our reader nor a `ClaimPath` lets a NUL through.
    private static func withCString<Result>(_ text: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { copy in
            unsafe copy.copyBytes(from: text)
            unsafe copy[text.count] = 0
            return unsafe body(copy.assumingMemoryBound(to: CChar.self).baseAddress!)
        }
    }

    private static func equal(_ text: UnsafePointer<CChar>?, _ expected: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let text = unsafe text, unsafe strlen(text) == expected.count else { return false }
        guard let start = expected.baseAddress else { return true }
        return unsafe memcmp(text, start, expected.count) == 0
    }

    /// Frees what libjwt allocated.
    private static func isAbsent(_ json: UnsafeMutablePointer<CChar>?) -> Bool {
        guard let json = unsafe json else { return true }
        unsafe free(json)
        return false
    }
}
