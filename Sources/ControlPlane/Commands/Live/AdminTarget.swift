import Foundation
import NIOCore
import Policy
import TLS

/// Where a running gateway's admin listener is, and by which token it is asked.
struct AdminTarget: Sendable {
    enum Place: Sendable {
        case network(host: String, port: Int)
        case unix(path: String)
    }

    let place: Place
    /// As `Host` says it.
    let authority: String
    /// Nil for plain HTTP.
    let tls: TLSClientContext?
    let identity: TLSServerIdentity
    let token: [UInt8]
    /// For people.
    let shown: String
    let tokenFile: String
}

/// How a command names a running gateway.
package struct AdminOptions: Sendable {
    /// The gateway's file.
    package var config: String?
    /// `http://127.0.0.1:9901`, `https://admin.example:9901`, `unix:/run/tenantgate/admin.sock`.
    package var admin: String?
    package var tokenFile: String?
    /// Who vouches for the listener's certificate; nil trusts whom the system trusts, or with `config` the file's own certificate.
    package var authorities: String?

    package init(config: String? = nil, admin: String? = nil, tokenFile: String? = nil, authorities: String? = nil) {
        (self.config, self.admin, self.tokenFile, self.authorities) = (config, admin, tokenFile, authorities)
    }

    /// `changes`: a token with the role operator is needed. Throws what to do where there is no way in.
    func target(changes: Bool) throws(CommandFailure) -> AdminTarget {
        if let admin { return try target(at: admin) }
        guard let config else {
            throw .usage(
                "Name the running gateway: --config FILE, its own file with `admin:`, or --admin URL --token-file FILE. "
                    + "For a stopped one: --ledger sqlite:FILE.")
        }
        return try AdminFileGlance(config).target(changes: changes, tokenFile: tokenFile, authorities: authorities)
    }

    private func target(at url: String) throws(CommandFailure) -> AdminTarget {
        guard let tokenFile else { throw .usage("--admin needs --token-file FILE: a file with one of the gateway's admin.tokens.") }
        let token = try Self.token(in: tokenFile)
        if url.hasPrefix("unix:") {
            let path = String(url.dropFirst("unix:".count))
            return AdminTarget(
                place: .unix(path: path), authority: "localhost", tls: nil, identity: .name("localhost"), token: token, shown: url,
                tokenFile: tokenFile)
        }
        // A password in it would stand in the process list, and in this very message.
        guard !url.contains("@") else {
            throw .usage("--admin takes no user and no password in the URL: the token comes from --token-file.")
        }
        guard let parsed = URL(string: url), let scheme = parsed.scheme, ["http", "https"].contains(scheme), let host = parsed.host(),
            parsed.path.isEmpty || parsed.path == "/", parsed.query() == nil, parsed.fragment() == nil
        else { throw .usage("--admin \(PlainText.shown(url, most: 256)) is not http://HOST:PORT, https://HOST:PORT or unix:PATH.") }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let isLoopback = NumericAddress(bare)?.isLoopback ?? (bare == "localhost")
        guard scheme == "https" || isLoopback else {
            throw .usage("--admin \(url) would send the token unencrypted: use https, or a loopback address.")
        }
        let port = parsed.port ?? (scheme == "https" ? 443 : 80)
        let isNumeric = NumericAddress(bare) != nil
        return AdminTarget(
            place: .network(host: bare, port: port), authority: bare.contains(":") ? "[\(bare)]:\(port)" : "\(bare):\(port)",
            tls: scheme == "https" ? try Self.context(authorities) : nil, identity: isNumeric ? .address(bare) : .name(bare), token: token,
            shown: url, tokenFile: tokenFile)
    }

    static func token(in file: String) throws(CommandFailure) -> [UInt8] {
        let bytes = try FileBytes.read(file, limit: Limits.adminTokenBytes.upperBound + 2, called: "The token's file")
        guard let token = AdminTokenText.token(in: bytes) else {
            throw CommandFailure("\(file) holds no token of \(Limits.adminTokenBytes.lowerBound) or more visible characters in one line.")
        }
        return token
    }

    static func context(_ authorities: String?) throws(CommandFailure) -> TLSClientContext {
        do throws(TLSConfigurationError) { return try TLSClientContext(authorities: authorities) } catch {
            throw CommandFailure("\(error). \(error.remedy.prefix(1).uppercased() + error.remedy.dropFirst()).")
        }
    }
}

/// `admin:` of a gateway's file and nothing else: an error elsewhere in it, or a secret that this user may not read, is no reason not to
/// let somebody suspend.
struct AdminFileGlance {
    private let path: String
    private let section: Section

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        let problems = ProblemList()
        let reading = Reading(problems: problems, folder: Reading.folder(of: path))
        guard let bytes = FileBytes.read(path, problems: problems), let root = YAMLDocument.read(bytes, file: path, problems: problems),
            case .map(let entries, _) = root
        else {
            throw CommandFailure(
                "The file \(path) can't be read:\n" + CheckReport.problems(problems.sorted)
                    + "Without it: --admin http://127.0.0.1:PORT --token-file FILE.")
        }
        guard let entry = entries.first(where: { $0.key == "admin" }) else {
            throw CommandFailure(
                "The file \(path) has no `admin:`, so a running gateway can't be asked. Add it "
                    + "(admin: {address: 127.0.0.1:9901, tokens: [{name: ops, role: operator, file: secrets/admin.token}]}) and restart, "
                    + "or stop the gateway and use --ledger sqlite:FILE.")
        }
        guard let section = Kind.section(AdminSection.shape).read(entry.value, reading) else {
            throw CommandFailure("`admin:` of \(path) can't be used:\n" + CheckReport.problems(problems.sorted))
        }
        self.section = section
    }

    func target(changes: Bool, tokenFile: String?, authorities: String?) throws(CommandFailure) -> AdminTarget {
        guard let address = section[AdminSection.address]?.value else {
            throw CommandFailure("`admin.address` of \(path) can't be used. tenantgate check --config \(path) says why.")
        }
        let file: String
        if let tokenFile { file = tokenFile } else { file = try readableToken(changes: changes) }
        let token = try AdminOptions.token(in: file)
        if let socket = address.path {
            return AdminTarget(
                place: .unix(path: socket), authority: "localhost", tls: nil, identity: .name("localhost"), token: token,
                shown: address.text, tokenFile: file)
        }
        guard address.port != 0 else {
            throw CommandFailure("`admin.address` of \(path) lets the system choose the port: name it with --admin URL --token-file FILE.")
        }
        let isAnywhere = address.host == "0.0.0.0" || address.host == "::"
        let host = isAnywhere ? (address.isIPv6 ? "::1" : "127.0.0.1") : address.host
        let name = certificateName(host)
        return AdminTarget(
            place: .network(host: host, port: address.port), authority: name.authority(address.port),
            tls: try context(authorities), identity: name, token: token,
            shown: "\(section.has(AdminSection.tls) ? "https" : "http")://\(address.text)", tokenFile: file)
    }

    /// The file of the first token that may do it and that this user may read.
    private func readableToken(changes: Bool) throws(CommandFailure) -> String {
        let tokens = section[AdminSection.tokens] ?? []
        for role in changes ? [AdminRole.operator] : [.viewer, .operator] {
            for token in tokens where token[AdminTokenSection.role] == role {
                if let file = token[AdminTokenSection.file] { return file.path }
            }
        }
        throw CommandFailure(
            "This user can read no token\(changes ? " of an operator" : "") that \(path) names. Ask as one who can (sudo -u tenantgate …), or name one: --token-file FILE."
        )
    }

    /// The first name that it is asked for by, else its address.
    private func certificateName(_ host: String) -> TLSServerIdentity {
        guard section.has(AdminSection.tls) else { return .address(host) }
        for pattern in section[AdminSection.hosts] ?? [] { if case .exact = pattern { return .name(pattern.text) } }
        return .address(host)
    }

    /// The gateway's own certificate is trusted as it stands. Nil for plain HTTP.
    private func context(_ authorities: String?) throws(CommandFailure) -> TLSClientContext? {
        guard let tls = section[AdminSection.tls] else { return nil }
        let chain = tls[TLSSection.certificates]?.first.flatMap { $0[CertificateSection.chain]?.path }
        return try AdminOptions.context(authorities ?? chain)
    }
}

extension TLSServerIdentity {
    fileprivate func authority(_ port: Int) -> String {
        switch self {
        case .name(let name): "\(name):\(port)"
        case .address(let address): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
    }
}
