import Policy

/// One entry of a directory's `service_tokens`: a credential by which the gateway itself reads users at their service.
enum ServiceTokenSection {
    static let tenant = Key(
        "tenant", .text("tenant id", bytes: Limits.idBytes), .optional("good for every tenant"),
        "The tenant whose users it may read; sent along as `X-Tenant-ID`.")
    static let file = Key("file", .secretFile, .required, "A file with nothing but the token; one trailing newline is not part of it.")
    static let header = Key(
        "header", .tokenHeader, .optional("`Authorization: Bearer …`"), "The header in which the bare token is sent, such as `X-API-Key`.")
    static let shape = SectionShape("service_token", [tenant.declaration, file.declaration, header.declaration])

    /// Nil where anything of it is wrong.
    static func read(_ section: Section, dialect: Dialect) -> ServiceToken? {
        let (tenant, file, header) = (section[tenant], section[file], section[header])
        guard let file, let text = read(file, section) else { return nil }
        guard tenant != nil || !section.has(Self.tenant), header != nil || !section.has(Self.header) else { return nil }
        var id: TenantID?
        if let tenant {
            id = TenantID(Array(tenant.utf8).span, format: dialect.tenantFormat)
            guard id != nil else {
                section.refuse(
                    Self.tenant, "`\(tenant)` is no tenant id of the dialect's `tenant_format: \(dialect.tenantFormat.rawValue)`",
                    fix: "write it as the service does")
                return nil
            }
        }
        return ServiceToken(tenant: id, header: header ?? "Authorization", value: header == nil ? "Bearer \(text)" : text)
    }

    private static func read(_ file: ReadableFile, _ section: Section) -> String? {
        func refuse(_ what: String, _ remedy: String) -> String? {
            section.reading.problems.error(file.place, "\(file.path) \(what)", fix: remedy)
            return nil
        }
        switch FileBytes.readRegular(file.path, limit: Limits.serviceToken + 2) {
        case .failure(let error): return refuse("can't be read (\(error.reason))", "let the user that runs the gateway read it")
        case .success(var bytes):
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            guard !bytes.isEmpty else { return refuse("is empty", "write the token into it") }
            guard bytes.count <= Limits.serviceToken else {
                return refuse("is longer than \(Limits.serviceToken) bytes", "name a file with nothing but the token")
            }
            guard bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else {
                return refuse("holds more than one token of visible ASCII", "write the token alone, on one line, without `Bearer`")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// `reconcile:` of a directory.
enum ReconcileSection {
    static let every = Key(
        "every", .duration("1s", "168h"), .byDefault("15m"), "How often the service's users are compared with who is blocked.")
    static let shape = SectionShape("reconcile", [every.declaration])
}

/// A service credential. Its value is in no description.
package struct ServiceToken: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Nil: for every tenant.
    let tenant: TenantID?
    /// The header field's name and value.
    let header: String
    let value: String

    package var description: String { "a service token\(tenant.map { " for \(String(decoding: $0.spelling, as: UTF8.self))" } ?? "")" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// How a directory's users are read at their service.
package struct ServiceSettings: Sendable {
    package var tokens: [ServiceToken]
    /// Milliseconds between two reconcile runs; nil for none.
    package var reconcileMilliseconds: Int64?
    /// Seconds for which a call whose answer was lost may still be carried out.
    package var lateSeconds: Int64
    package var place: Place
}

extension Kind where Value == String {
    /// The name of a header field that the gateway doesn't write itself.
    fileprivate static var tokenHeader: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[A-Za-z][A-Za-z0-9-]{0,63}$"))])
        let own = ["host", "connection", "content-length", "transfer-encoding", "accept", "accept-encoding", "x-tenant-id", "upgrade"]
        return .scalar("header name", schema: schema, example: "X-API-Key") { text in
            guard (1...64).contains(text.utf8.count), text.first?.isLetter == true,
                text.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 }),
                !own.contains(text.lowercased())
            else { return nil }
            return text
        }
    }
}
