import Policy
package import Tokens

/// The part of `keys:` that is about keys which are fetched: `jwks_url`, `discovery` and how.
extension KeysSection {
    static let jwksURL = Key(
        "jwks_url", .fetchURL, .optional("another source"),
        "The address of the issuer's JSON Web Key Set: `https`, or `http` on this machine's loopback.")
    static let discovery = Key(
        "discovery", Kind.boolean.located, .optional("another source"),
        "`true`: the issuer's metadata at `ISSUER/.well-known/openid-configuration` names the key set, and must name the issuer too.")
    static let authorities = Key(
        "ca_file", .file, .optional("those that the system trusts"),
        "A PEM file of the authorities that alone are trusted to know the issuer.")
    static let refresh = Key(
        "refresh", .duration("1s", "1h"), .byDefault("5m"),
        "The longest time between two fetches: how long a withdrawn key may go on being taken. The issuer's `Cache-Control` can shorten it."
    )
    static let maxStale = Key(
        "max_stale", .duration("1s", "168h"), .byDefault("24h"),
        "How long the last good set serves while none can be fetched; then its tokens are answered by 503 `keys_unavailable`.")
    static let timeout = Key("timeout", .duration("100ms", "30s"), .byDefault("5s"), "How long one fetch may take.")

    /// Where the keys come from, and where the file says so; nil where something of it is wrong (reported).
    static func readFetched(_ section: Section, issuer: Located<String>?, allowed: AlgorithmSet?) -> FetchedKeys? {
        let (url, discovery, authorities) = (section[jwksURL], section[discovery], section[authorities])
        let (refresh, maxStale, timeout) = (section[refresh], section[maxStale], section[timeout])
        let location =
            section.has(jwksURL)
            ? url.map { KeyOrigin.Location.keySet($0) } : discovery.flatMap { discover(section, isOn: $0, issuer: issuer) }
        guard let location, let allowed, checkAlgorithms(section, allowed), let refresh, let maxStale, let timeout,
            authorities != nil || !section.has(Self.authorities)
        else { return nil }
        guard maxStale >= refresh else {
            section.refuse(
                section.has(Self.maxStale) ? Self.maxStale : Self.refresh, "`max_stale` is shorter than `refresh`",
                fix: "let the last good set serve at least until the next fetch")
            return nil
        }
        let origin = KeyOrigin(
            location, algorithms: allowed, authorities: authorities?.path, refresh: refresh, maxStale: maxStale, timeout: timeout)
        return FetchedKeys(
            origin: origin, place: section.has(jwksURL) ? section.place(jwksURL) : section.place(Self.discovery),
            authoritiesPlace: authorities?.place)
    }

    /// OpenID Connect Discovery 1.0 §4: the issuer without its last slash, and the well-known path behind it.
    private static func discover(_ section: Section, isOn: Located<Bool>, issuer: Located<String>?) -> KeyOrigin.Location? {
        guard isOn.value else {
            section.reading.problems.error(isOn.place, "`discovery: false` is no source of keys", fix: "write `true`, or another source")
            return nil
        }
        guard let issuer else { return nil }
        let base = issuer.value.hasSuffix("/") ? String(issuer.value.dropLast()) : issuer.value
        do throws(FetchURLError) {
            guard !base.contains("?") else { throw .malformed }
            return .discovery(try FetchURL(base + "/.well-known/openid-configuration"), issuer: Array(issuer.value.utf8))
        } catch {
            section.reading.problems.error(
                isOn.place, "the issuer `\(issuer.value)` can't be asked for its keys: \(error)",
                fix: "name the address of its key set by `jwks_url`")
            return nil
        }
    }

    /// A secret that is fetched would be everybody's.
    private static func checkAlgorithms(_ section: Section, _ allowed: AlgorithmSet) -> Bool {
        guard let secret = allowed.all.first(where: { $0.keyType == .secret }) else { return true }
        section.reading.problems.error(
            section.place, "\(secret.name) needs a secret, and secrets are not fetched", fix: "use `secret_file`, or another algorithm")
        return false
    }
}

/// Keys that are fetched, as the file names them.
package struct FetchedKeys: Sendable {
    package var origin: KeyOrigin
    /// Where `jwks_url` or `discovery` stands.
    package var place: Place
    /// Where `ca_file` stands; nil without one.
    package var authoritiesPlace: Place?
}

extension Kind where Value == FetchURL {
    /// `https://HOST[:PORT]/PATH`.
    fileprivate static var fetchURL: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^https?://[^?#@]+(\\?[^#]*)?$"))])
        return Kind(name: "URL", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node, !text.isEmpty else {
                return reading.refuse(node, expected: "a URL", fix: "write `https://HOST/PATH`")
            }
            do throws(FetchURLError) { return try FetchURL(text) } catch {
                reading.problems.error(place, "`\(text)` is not fetched: \(error)", fix: "write `https://HOST/PATH`")
                return nil
            }
        }
    }
}
