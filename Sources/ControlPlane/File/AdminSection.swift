package import Policy
import Tokens

/// What `admin:` says.
package struct AdminSettings: Sendable {
    package var address: ListenAddress
    /// The permissions of a Unix socket's file.
    package var mode: UInt32
    /// Nil for plain HTTP, which only loopback addresses and Unix sockets may speak.
    package var tls: ListenerTLS?
    /// Names beside addresses and `localhost` by which the page and the API may be asked for.
    package var hosts: [HostPattern]
    package var tokens: [AdminToken]
}

/// One of the tokens that the admin listener takes.
package struct AdminToken: Hashable, Sendable {
    /// Who acts, in the ledger's log.
    package var name: String
    package var role: AdminRole
    /// The token's file, for the commands that use it.
    package var file: String
    /// SHA-256 of the token: comparing digests takes the same time wherever they differ.
    package var digest: [UInt8]
}

/// What a token's bearer may do.
package enum AdminRole: String, Sendable, CaseIterable {
    /// Look.
    case viewer
    /// Look, suspend, lift, import, reload.
    case `operator`
}

/// `admin:`
enum AdminSection {
    static let address = Key(
        "address", Kind.listenerAddress.located, .required,
        "Where the API and the dashboard are: a loopback address or `unix:PATH`; any other needs `tls`.")
    static let mode = Key(
        "mode", .fileMode, .optional("`\"0600\"` for Unix sockets"), "The permissions of a Unix socket's file. In quotes, octal.")
    static let tls = Key("tls", .section(TLSSection.shape), .optional("plain HTTP"), "Certificates, as a listener's.")
    static let hosts = Key(
        "hosts", .list(of: .host, 0...64), .byDefault("[]"),
        "Names by which it is asked for, beside addresses and `localhost`; any other `Host` is refused, so that no page of others gets in.")
    static let tokens = Key(
        "tokens", .list(of: .section(AdminTokenSection.shape), 1...Limits.adminTokens), .required, "Who may use it.")
    static let shape = SectionShape(
        "admin", [address.declaration, mode.declaration, tls.declaration, hosts.declaration, tokens.declaration])

    static func read(_ section: Section) -> AdminSettings? {
        let (address, hosts) = (section[address], section[hosts])
        let tls = section[tls].map(TLSSection.read)
        let mode = section[mode]
        if section.has(Self.mode), let address, address.value.path == nil {
            section.refuse(Self.mode, "only Unix sockets have a mode", fix: "remove it")
        }
        if let address, !section.has(Self.tls), address.value.path == nil, NumericAddress(address.value.host)?.isLoopback == false {
            section.refuse(
                Self.address, "tokens would pass \(address.value.text) unencrypted",
                fix: "listen on 127.0.0.1, on [::1] or on a Unix socket, or add `tls:`")
        }
        if hosts?.contains(.any) == true {
            section.refuse(Self.hosts, "under any name, pages of anybody could ask here", fix: "name the hosts by which it is asked for")
        }
        let tokens = section[Self.tokens].map { readTokens($0, section) }
        guard let address, let hosts, let tokens, let tokens else { return nil }
        if section.has(Self.tls), tls.flatMap(\.self) == nil { return nil }
        return AdminSettings(
            address: address.value, mode: mode ?? 0o600, tls: tls.flatMap(\.self), hosts: hosts, tokens: tokens)
    }

    /// Two of one name or of one value would leave open who it was.
    private static func readTokens(_ sections: [Section], _ section: Section) -> [AdminToken]? {
        let read = sections.map { AdminTokenSection.read($0) }
        for (index, token) in read.enumerated() {
            guard let token else { continue }
            let earlier = read[..<index].compactMap(\.self)
            if earlier.contains(where: { $0.name == token.name }) {
                sections[index].refuse(
                    AdminTokenSection.name, "two tokens have the name `\(token.name)`", fix: "give each person or program its own")
            } else if let same = earlier.first(where: { $0.digest == token.digest }) {
                sections[index].refuse(
                    AdminTokenSection.file, "`\(token.name)` has the same token as `\(same.name)`",
                    fix: "make one of its own: "
                        + AdminTokenSection.recipe(token.file))
            }
        }
        return read.contains { $0 == nil } ? nil : read.compactMap(\.self)
    }
}

/// One entry of `tokens`.
enum AdminTokenSection {
    static let name = Key(
        "name", .text("name", bytes: 64), .required, "Whose token it is: the actor in the ledger's log and on standard error.")
    static let role = Key<AdminRole>("role", .choice, .required, "`viewer` may look, `operator` may change too.")
    static let file = Key(
        "file", .secretFile, .required,
        "A file with the token: \(Limits.adminTokenBytes.lowerBound)…\(Limits.adminTokenBytes.upperBound) visible ASCII characters; one trailing newline is not part of it."
    )
    static let shape = SectionShape("admin_token", [name.declaration, role.declaration, file.declaration])

    static func read(_ section: Section) -> AdminToken? {
        let (name, role, file) = (section[name], section[role], section[file])
        guard let file, let digest = digest(of: file, section) else { return nil }
        guard let name, let role else { return nil }
        return AdminToken(name: name, role: role, file: file.path, digest: digest)
    }

    /// How to make one.
    static func recipe(_ file: String) -> String { "openssl rand -hex 32 > \(file)" }

    private static func digest(of file: ReadableFile, _ section: Section) -> [UInt8]? {
        switch FileBytes.readRegular(file.path, limit: Limits.adminTokenBytes.upperBound + 2) {
        case .failure(let error):
            section.refuse(Self.file, "the token's file \(file.path) can't be read (\(error.reason))", fix: "correct the path")
            return nil
        case .success(let bytes):
            guard let token = AdminTokenText.token(in: bytes) else {
                section.refuse(
                    Self.file,
                    "\(file.path) doesn't hold a token of \(Limits.adminTokenBytes.lowerBound)…\(Limits.adminTokenBytes.upperBound) visible "
                        + "ASCII characters in one line",
                    fix: recipe(file.path))
                return nil
            }
            return Digest.sha256(token.span)
        }
    }
}

/// A token as a file holds it.
enum AdminTokenText {
    /// Without its newline; nil where it is none.
    static func token(in bytes: [UInt8]) -> [UInt8]? {
        var token = bytes
        if token.last == UInt8(ascii: "\n") { token.removeLast() }
        if token.last == UInt8(ascii: "\r") { token.removeLast() }
        guard Limits.adminTokenBytes.contains(token.count), token.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        return token
    }
}
