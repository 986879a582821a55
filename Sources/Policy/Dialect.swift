/// How one user service speaks about its users: read from a dialect file (SPEC §6), never decided in code.
package struct Dialect: Sendable {
    package var name: String
    /// The default tenant rule of routes to it.
    package var tenant: TenantRule
    package var tenantFormat: IDFormat
    package var reach: Reach
    package var errors: Envelope
    package var idFormat: IDFormat
    /// How a user object tells its id and state; nil where nothing is to be learned.
    package var user: UserShape?
    package var calls: [DialectCall]
    /// Names of further fields and query parameters that carry a credential, beside `SecondCredential`'s own.
    package var otherCredentials: [String]
    /// Other names of users, which identity providers know.
    package var aliases: [DialectAlias]

    package init(
        name: String, tenant: TenantRule, tenantFormat: IDFormat, reach: Reach, errors: Envelope, idFormat: IDFormat,
        user: UserShape? = nil, calls: [DialectCall] = [], otherCredentials: [String] = [], aliases: [DialectAlias] = []
    ) {
        self.aliases = aliases
        self.name = name
        self.tenant = tenant
        self.tenantFormat = tenantFormat
        self.reach = reach
        self.errors = errors
        self.idFormat = idFormat
        self.user = user
        self.calls = calls
        self.otherCredentials = otherCredentials
    }
}

/// Whether a route takes `X-Tenant-ID` (SPEC §3).
package enum TenantRule: String, Sendable, CaseIterable {
    /// The header must be sent.
    case required
    /// It may be sent; it must match.
    case optional
    /// The upstream gets none; one that is sent must still match.
    case none
}

/// How far a suspension reaches (SPEC §4).
package enum Reach: String, Sendable, CaseIterable {
    /// The user of the caller's verified tenant.
    case tenant
    /// The user, in every tenant.
    case directory
}

/// The shape of the gateway's own error bodies (SPEC §1).
package enum Envelope: String, Sendable, CaseIterable {
    /// `{"code","message","details"?}`
    case flat
    /// `{"error":{"code","message","details"?}}`
    case nested
}

/// A JSON Pointer (RFC 6901), split into its unescaped steps.
package struct JSONPointer: Hashable, Sendable {
    package let steps: [[UInt8]]

    package init(steps: [[UInt8]]) { self.steps = steps }

    /// Nil where `text` is not a pointer: it must be empty or start with `/`, and `~` must be followed by 0 or 1.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first else {
            self.init(steps: [])
            return
        }
        guard first == UInt8(ascii: "/") else { return nil }
        var steps: [[UInt8]] = [[]]
        var index = 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "/"): steps.append([])
            case UInt8(ascii: "~"):
                guard index < bytes.count, bytes[index] == 48 || bytes[index] == 49 else { return nil }
                steps[steps.count - 1].append(bytes[index] == 48 ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                index += 1
            default: steps[steps.count - 1].append(byte)
            }
        }
        self.init(steps: steps)
    }
}

/// Where a user object keeps its id and whether it is suspended.
package struct UserShape: Sendable {
    package var id: JSONPointer
    package var suspended: JSONPointer
    package var test: StateTest

    package init(id: JSONPointer, suspended: JSONPointer, test: StateTest) {
        self.id = id
        self.suspended = suspended
        self.test = test
    }
}

/// What the state field says (SPEC §4, dialect table).
package enum StateTest: Sendable, Equatable {
    /// A boolean; this value means suspended, the other active; anything else, and absence, teaches nothing.
    case boolean(suspended: Bool)
    /// An RFC 3339 date-time means suspended; null or absent means active; anything else teaches nothing.
    case dateTime
}

/// One call of a dialect: which requests it is and what its answer or its body means.
package struct DialectCall: Sendable {
    package var method: [UInt8]
    package var pattern: PathPattern
    package var answers: Answer
    package var intent: Intent?
    /// Of an intent whose path names nobody: where the request's body names the user.
    package var request: JSONPointer?
    /// For APIs that answer 204: what a 2xx without a body says.
    package var means: Meaning?
    /// Of a list: where its answer says how many users there are on all pages.
    package var total: JSONPointer?
    /// Of a list: what the gateway's own requests add to the query, such as how many users make a page.
    package var query: String?
    /// As written in the file: `POST /v1/users/{user}/suspend`.
    package var text: String

    package init(
        method: [UInt8], pattern: PathPattern, answers: Answer, intent: Intent? = nil, request: JSONPointer? = nil, means: Meaning? = nil,
        total: JSONPointer? = nil, query: String? = nil, text: String
    ) {
        self.request = request
        self.total = total
        self.query = query
        self.method = method
        self.pattern = pattern
        self.answers = answers
        self.intent = intent
        self.means = means
        self.text = text
    }

    /// What a 2xx carries.
    package enum Answer: Sendable, Equatable {
        case user
        /// Users under `items`; whether more pages follow, and the query parameter that asks for them (used by reconcile).
        case list(items: JSONPointer, more: JSONPointer?, page: String?)
        /// No body to learn from.
        case nothing
    }

    /// What a 2xx without a body stands for.
    package enum Meaning: Sendable, Equatable {
        case state(UserState)
        /// The state that the request asked for, where its body decides.
        case asked
    }

    /// What the caller wants.
    package enum Intent: Sendable, Equatable {
        case suspend
        case activate
        /// A boolean of the request's body decides.
        case field(JSONPointer, suspend: Bool)
    }
}

/// Whether a user may act.
package enum UserState: UInt8, Sendable, CaseIterable {
    case active = 0
    case suspended = 1
}
