// `listeners` and `probes`.

/// One entry of `listeners`.
enum ListenerSection {
    static let address = Key(
        "address", Kind.listenerAddress.located, .required,
        "Where clients connect: `0.0.0.0:8443`, `\"[::]:8443\"`, `unix:PATH`. Port 0 lets the system choose.")
    static let tls = Key(
        "tls", Kind.section(TLSSection.shape).or(.off), .required, "Certificates; a listener that speaks plain HTTP must say `tls: off`.")
    static let mode = Key(
        "mode", .fileMode, .optional("`\"0660\"` for Unix sockets"),
        "The permissions of a Unix socket's file: who may connect. In quotes, octal.")
    static let proxyProtocol = Key<ProxyProtocolWord>(
        "proxy_protocol", .choice, .optional("clients connect directly"),
        "`required`: only `trusted_proxies` may connect, and each connection begins with a PROXY header of version 2 that names its client."
    )
    static let shape = SectionShape("listener", [address.declaration, tls.declaration, mode.declaration, proxyProtocol.declaration])

    enum ProxyProtocolWord: String, CaseIterable { case required }

    static func read(_ section: Section) -> Listener? {
        guard var listener = readWithoutMode(section) else { return nil }
        if section.has(mode) {
            guard let mode = section[mode] else { return nil }
            if listener.address.path == nil {
                section.refuse(Self.mode, "only Unix sockets have a mode", fix: "remove it")
            }
            listener.mode = mode
        }
        return listener
    }

    private static func readWithoutMode(_ section: Section) -> Listener? {
        let (address, tls) = (section[address], section[tls])
        let isProxied = section[proxyProtocol] == .required
        guard let tls else { return nil }
        switch tls {
        case .first(let settings):
            let settings = TLSSection.read(settings)
            guard let address, let settings else { return nil }
            return Listener(address: address.value, tls: settings, proxyProtocol: isProxied)
        case .second:
            guard let address else { return nil }
            if NumericAddress(address.value.host)?.isLoopback == false {
                section.reading.problems.warning(
                    section.place(Self.tls), "tokens pass \(address.value.text) unencrypted",
                    fix: "give it certificates, or listen on a loopback address")
            }
            return Listener(address: address.value, tls: nil, proxyProtocol: isProxied)
        }
    }

    /// Nobody could connect where nobody is trusted.
    static func checkProxies(_ section: Section, trusted: [String]?) {
        guard section[proxyProtocol] == .required, trusted?.isEmpty == true, section[address]?.value.path == nil else { return }
        section.refuse(
            proxyProtocol, "nobody could connect: there are no `trusted_proxies`",
            fix: "name the networks of the proxies in `trusted_proxies`")
    }

    /// Two of the same address could not both be bound.
    static func checkDistinct(_ addresses: [Located<ListenAddress>], _ problems: ProblemList) {
        for (index, address) in addresses.enumerated() where address.value.port != 0 || address.value.path != nil {
            guard let first = addresses[..<index].first(where: { $0.value == address.value }) else { continue }
            problems.error(
                address.place, "\(address.value.text) is listened on twice, first on line \(first.place.line)",
                fix: "choose another \(address.value.path == nil ? "port" : "path") or remove one")
        }
    }
}

/// `tls:` of a listener.
enum TLSSection {
    static let certificates = Key(
        "certificates", .list(of: .section(CertificateSection.shape), 1...256), .required, "Chosen by SNI; the first is the default.")
    static let minimum = Key("minimum", .tlsVersion, .byDefault("\"1.2\""), "The lowest TLS version that is spoken, in quotes.")
    static let shape = SectionShape("tls", [certificates.declaration, minimum.declaration])

    static func read(_ section: Section) -> ListenerTLS? {
        let (certificates, minimum) = (section[certificates], section[minimum])
        let files = (certificates ?? []).map(CertificateSection.read)
        guard let minimum, certificates != nil, !files.contains(where: { $0 == nil }) else { return nil }
        return ListenerTLS(certificates: files.compactMap(\.self), minimum: minimum)
    }
}

/// One entry of `certificates`.
enum CertificateSection {
    static let chain = Key("chain", .file, .required, "PEM file: the certificate, then its intermediates.")
    static let key = Key("key", .secretFile, .required, "PEM file with its private key.")
    static let clientCA = Key(
        "client_ca", .file, .optional("clients are asked for no certificate"),
        "PEM file of the authorities that vouch for clients of its names.")
    static let clientCertificate = Key<ClientWord>(
        "client_certificate", .choice, .optional("none is asked for"),
        "Whether a client must have a certificate of `client_ca`. One that is sent must always be good.")
    static let shape = SectionShape(
        "certificate", [chain.declaration, key.declaration, clientCA.declaration, clientCertificate.declaration])

    enum ClientWord: String, CaseIterable { case optional, required }

    static func read(_ section: Section) -> CertificateFiles? {
        let (chain, key, authorities, word) = (section[chain], section[key], section[clientCA], section[clientCertificate])
        if section.has(clientCA), !section.has(clientCertificate) {
            section.refuse(clientCA, "`client_ca` without `client_certificate`", fix: "add `client_certificate: required` or `optional`")
        }
        if section.has(clientCertificate), !section.has(clientCA) {
            section.refuse(
                clientCertificate, "`client_certificate` without `client_ca`", fix: "name the PEM file of the authorities in `client_ca`")
        }
        guard let chain, let key else { return nil }
        var files = CertificateFiles(chain: chain.path, key: key.path, chainPlace: chain.place, keyPlace: key.place)
        if let authorities, let word {
            files.clients = ClientCertificateFile(authorities: authorities.path, isRequired: word == .required, place: authorities.place)
        }
        return files
    }
}

/// `probes:`
enum ProbesSection {
    static let address = Key(
        "address", Kind.listenAddress.located, .required, "Where they are served, in plain HTTP and without a token.")
    static let shape = SectionShape("probes", [address.declaration])
}

/// The one word that switches something off.
struct Off {}

extension Kind where Value == Off {
    /// `off`; tools that read YAML 1.1 take it for `false`, so their schema may see that.
    static var off: Kind {
        Kind(name: "`off`", schema: .object([("enum", .array([.string("off"), .boolean(false)]))]), forms: [.scalar]) { node, reading in
            if case .scalar("off", _, _) = node { return Off() }
            return reading.refuse(node, expected: "a map or `off`", fix: "write `off`, or a map")
        }
    }
}

extension Kind where Value == UInt32 {
    /// Permissions in octal: `"0660"`.
    static var fileMode: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^0?[0-7]{3}$"))])
        return .scalar("mode", bound: "000…777", schema: schema, example: "\"0660\"") { text in
            guard (3...4).contains(text.utf8.count), text.utf8.count == 3 || text.hasPrefix("0") else { return nil }
            return UInt32(text, radix: 8)
        }
    }
}

extension Kind where Value == ListenerTLS.Version {
    /// `"1.2"` or `1.2`: nobody means another thing by the number.
    fileprivate static var tlsVersion: Kind {
        let versions = ListenerTLS.Version.allCases.map { SchemaValue.string($0.rawValue) }
        let schema: SchemaValue = .object([("enum", .array(versions + [.decimal("1.2"), .decimal("1.3")]))])
        return Kind(name: "`\"1.2\"` \\| `\"1.3\"`", schema: schema, forms: [.scalar]) { node, reading in
            if case .scalar(let text, _, _) = node, let version = ListenerTLS.Version(rawValue: text) { return version }
            return reading.refuse(node, expected: "\"1.2\" or \"1.3\"")
        }
    }
}
