package import Policy

/// What a verified token says. Only `TokenAuthority` makes one.
package final class Credential: Sendable {
    /// The number of the credential block that vouches for it.
    package let block: Int
    /// The key that has verified it: when that leaves the set, what is remembered of the token goes with it.
    let key: VerificationKey
    /// Nobody's as long as there is an `alias`.
    package let user: UserID
    /// Set where the token names its user by an alias and nobody has said yet who that is: nothing is admitted by such a credential.
    package let alias: UserAlias?
    /// The alias that has told who the user is.
    package let knownBy: UserAlias?
    /// The user under this process's key: how the access log names it, ready because every request is logged.
    package let userHash: KeyedHash.Value
    /// The user claim as `X-User-ID` carries it upstream; nil where it can't be carried exactly (see `HeaderText`).
    package let userHeader: [UInt8]?
    /// Who acts for the user (RFC 8693 §4.1), the current actor first. Each is a user of the directory and asked for suspension too.
    package let actors: [UserID]
    package let tenants: TenantClaim
    package let roles: HeldRoles
    package let scopes: [[UInt8]]
    /// `X-User-Roles` for flat roles; for roles by tenant one per entry of `roles`, in its order.
    private let rolesHeaders: [[UInt8]]
    /// Unix seconds, rounded up.
    package let issuedAt: Int64?
    /// Where the credential block wants tokens newer than the last reactivation of their user and of everybody who acts for it: `iat`,
    /// rounded down. One who was reactivated in that second or later needs another token.
    package let freshFrom: Int64?
    /// When the token is good: from `nbf` and `iat` less the leeway, until before `exp` plus the leeway; Unix seconds.
    package let validity: Range<Int64>

    /// The first second in which the token is no longer good: `exp` plus the leeway.
    package var expires: Int64 { validity.upperBound }

    /// The value of `X-User-Roles` in a request with this selected tenant: the names of the roles that count there, joined by commas,
    /// without those that can't stand in it exactly (see `HeaderText`; a comma can't either). Nil where none is left.
    package func rolesHeader(in tenant: TenantID?) -> [UInt8]? {
        let header: [UInt8]?
        switch roles {
        case .flat: header = rolesHeaders.first
        case .byTenant(let entries): header = entries.firstIndex { $0.tenant == tenant }.map { rolesHeaders[$0] }
        }
        return header.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static let logKey = KeyedHash.random()

    /// The `kid` of the key that has verified it; nil for a key without one.
    package var keyName: [UInt8]? { key.kid }

    /// What stands for a user who isn't known: no id, since ids are not empty.
    private static let nobody = UserID(.string([]))

    /// The same with its user, whom the alias means.
    package convenience init(_ other: Credential, of user: UserID) { self.init(other, block: other.block, of: user) }

    /// The same, vouched for by a block that has this number now; with its user where `known` says who that is.
    init(_ other: Credential, block: Int, of known: UserID? = nil) {
        self.block = block
        key = other.key
        if let known {
            user = known
            alias = nil
            knownBy = other.alias
            let id = known.id.canonical
            userHash = Self.logKey(id.span)
            userHeader = HeaderText.isSafe(id.span) ? id : nil
        } else {
            user = other.user
            alias = other.alias
            knownBy = other.knownBy
            userHash = other.userHash
            userHeader = other.userHeader
        }
        actors = other.actors
        tenants = other.tenants
        roles = other.roles
        rolesHeaders = other.rolesHeaders
        scopes = other.scopes
        issuedAt = other.issuedAt
        freshFrom = other.freshFrom
        validity = other.validity
    }

    init(_ claims: VerifiedClaims, block: Int, key: VerificationKey) {
        self.block = block
        self.key = key
        let user = claims.user ?? Self.nobody
        self.user = user
        alias = claims.alias
        knownBy = nil
        userHash = Self.logKey(user.id.canonical.span)
        userHeader = claims.user != nil && HeaderText.isSafe(claims.userText.span) ? claims.userText : nil
        actors = claims.actors
        tenants = claims.tenants
        roles = claims.roles
        rolesHeaders =
            switch claims.roles {
            case .flat(let names): [HeaderText.list(names)]
            case .byTenant(let entries): entries.map { HeaderText.list($0.roles) }
            }
        scopes = claims.scopes
        issuedAt = claims.dates.issuedAt
        freshFrom = claims.dates.freshFrom
        validity = claims.dates.validity
    }
}

extension Credential {
    /// Bytes that it takes in memory, near enough: what the claims hold, and each array's own header.
    var footprint: Int {
        var size = 512 + actors.count * 320
        // An id may be kept twice: as written and in its format.
        func add(_ text: [UInt8]) { size += 2 * text.count + 80 }
        switch tenants {
        case .none: break
        case .one(let tenant): add(tenant.spelling)
        case .many(let tenants): for tenant in tenants { add(tenant.spelling) }
        }
        switch roles {
        case .flat(let names): names.forEach(add)
        case .byTenant(let entries):
            for entry in entries {
                add(entry.tenant.spelling)
                entry.roles.forEach(add)
            }
        }
        if let alias { add(alias.value) }
        scopes.forEach(add)
        rolesHeaders.forEach(add)
        return size
    }
}

/// Which texts of a token may stand in a header of the upstream request.
///
/// Printable ASCII without a space at either end: what every upstream reads as the same bytes. Header parsers trim spaces, and some
/// decode other bytes as Latin-1 or trim Unicode's spaces too, so that ` bob` or `bob` with a no-break space would arrive as `bob`.
/// Such a text is left out; it still counts where the gateway itself decides.
enum HeaderText {
    static func isSafe(_ text: Span<UInt8>) -> Bool {
        guard text.count > 0, text[0] != 0x20, text[text.count - 1] != 0x20 else { return false }
        for index in text.indices where text[index] < 0x20 || text[index] > 0x7E { return false }
        return true
    }
    /// Names joined by commas, those left out that can't be told apart in such a list.
    static func list(_ names: [[UInt8]]) -> [UInt8] {
        Array(names.filter { isSafe($0.span) && !$0.contains(UInt8(ascii: ",")) }.joined(separator: [UInt8(ascii: ",")]))
    }
}
