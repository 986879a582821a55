import Policy
import Proxy
import Suspensions

/// How one directory's users are asked for: which servers, which calls, and by which credential. Made of a checked file, never changed.
struct ServiceDesk: Sendable {
    let upstream: Upstream
    /// Milliseconds that one read may take.
    let timeout: Int64
    private let tokens: [ServiceToken]
    private let dialect: Dialect
    let directory: DirectoryIndex
    private let readCall: DialectCall
    private let listCall: DialectCall?
    let reader: AnswerReader
    let listReader: AnswerReader?
    /// What reads users' aliases in the answers to the two calls; nil where none are to be read.
    let aliases: AliasReader?
    let listAliases: AliasReader?
    private let searches: [DialectAlias]

    /// Nil where the gateway reads none of the directory's users by itself.
    init?(_ directory: DirectoryIndex, of configuration: Configuration, _ upstreams: [Upstream]) {
        let settings = configuration.directories[directory]
        // The first in the file's order, where several serve the directory.
        guard let service = settings.service, !service.tokens.isEmpty, let call = settings.dialect.readCall,
            let number = configuration.upstreams.firstIndex(where: { $0.directory == directory })
        else { return nil }
        upstream = upstreams[number]
        timeout = min(configuration.upstreams[number].firstByteTimeoutMilliseconds, Limits.serviceReadMilliseconds)
        tokens = service.tokens
        dialect = settings.dialect
        self.directory = directory
        readCall = call
        listCall = settings.dialect.listCall
        reader = AnswerReader(call, of: dialect)
        listReader = listCall.map { AnswerReader($0, of: settings.dialect) }
        searches = configuration.aliases(of: directory)
        let rules = searches.map(\.rule)
        aliases = AliasReader(call, of: dialect, rules: rules)
        listAliases = listCall.flatMap { AliasReader($0, of: settings.dialect, rules: rules) }
    }

    /// What is asked for, and with which fields.
    struct Request: Sendable {
        let target: String
        let fields: [(name: String, value: String)]
    }

    // MARK: one user

    /// The credentials that may know the user, the likeliest first: his tenant's, then the one for all; where a suspension reaches all
    /// tenants, the one for all or else each tenant's in turn.
    func credentials(for subject: Subject) -> [Int] { credentials(tenant: subject.tenant) }

    func credentials(tenant: FormattedID?) -> [Int] {
        let all = tokens.indices.filter { tokens[$0].tenant == nil }
        guard let tenant else { return all.isEmpty ? Array(tokens.indices) : all }
        return tokens.indices.filter { tokens[$0].tenant?.id == tenant } + all
    }

    /// Nil where the id can't stand in a path.
    func request(for subject: Subject, by credential: Int) -> Request? {
        guard let user = Self.segment(subject.user.id.canonical) else { return nil }
        let tenant = tokens[credential].tenant?.spelling ?? subject.tenant?.canonical
        return Request(target: path(of: readCall, user: user), fields: fields(tokens[credential], tenant: tenant))
    }

    // MARK: aliases

    func search(for alias: UserAlias) -> AliasSearch? { searches.first { $0.rule == alias.rule }?.search }

    func searchReader(_ rule: AliasRule, _ search: AliasSearch) -> AliasReader? {
        AliasReader(of: dialect, rules: [rule], items: search.items)
    }

    /// Nil where the alias can't stand in the call.
    func request(_ search: AliasSearch, _ alias: [UInt8], tenant: FormattedID?, by credential: Int) -> Request? {
        guard let text = Self.segment(alias) else { return nil }
        let tenant = tokens[credential].tenant?.spelling ?? tenant?.canonical
        return Request(target: search.before + text + search.after, fields: fields(tokens[credential], tenant: tenant))
    }

    // MARK: lists

    /// One for each credential that lists: where suspensions reach all tenants, that for all tenants does alone, if there is one.
    var lists: [UserList] {
        guard let listCall, case .list(_, _, let page) = listCall.answers else { return [] }
        let isForAll = dialect.reach == .directory
        let all = tokens.indices.filter { tokens[$0].tenant == nil }
        let listing = isForAll ? (all.isEmpty ? Array(tokens.indices) : all) : tokens.indices.filter { tokens[$0].tenant != nil }
        return listing.map { credential in
            UserList(
                directory: directory, tenant: isForAll ? nil : tokens[credential].tenant?.id, credential: credential, hasPages: page != nil)
        }
    }

    func request(forPage number: Int, of list: UserList) -> Request? {
        guard let listCall, case .list(_, _, let page) = listCall.answers, list.credential < tokens.count else { return nil }
        let query = [listCall.query, page.map { "\($0)=\(number)" }].compactMap(\.self).joined(separator: "&")
        let token = tokens[list.credential]
        return Request(
            target: path(of: listCall, user: "") + (query.isEmpty ? "" : "?\(query)"), fields: fields(token, tenant: token.tenant?.spelling)
        )
    }

    // MARK: parts

    private func fields(_ token: ServiceToken, tenant: [UInt8]?) -> [(name: String, value: String)] {
        var fields = [(name: token.header, value: token.value)]
        if let tenant, dialect.tenant != .none { fields.append(("X-Tenant-ID", String(decoding: tenant, as: UTF8.self))) }
        return fields
    }

    /// The call's path as it is sent upstream: dialects speak of that, with the upstream's base in it.
    private func path(of call: DialectCall, user: String) -> String {
        let segments = call.pattern.segments.map { segment in
            switch segment {
            case .literal(let bytes): String(decoding: bytes, as: UTF8.self)
            case .parameter: user
            case .rest: ""
            }
        }
        return "/" + segments.joined(separator: "/")
    }

    /// An id as one segment of a path (RFC 3986 §3.3): everything escaped but unreserved characters. Nil for `.` and `..`, which no
    /// escape keeps from being taken for a step.
    static func segment(_ id: [UInt8]) -> String? {
        guard id != Array(".".utf8), id != Array("..".utf8) else { return nil }
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in id {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
