import Policy
import TLS
import Tokens

/// What `tenantgate check` finds out about keys that are fetched: it fetches each once.
///
/// A set that can't be had is a warning: the file is as good as before, `serve` starts with it and goes on trying. A `ca_file` that can't
/// be used is an error.
struct KeyCheck {
    private(set) var problems: [Problem] = []
    /// One line for each origin whose keys were had.
    private(set) var found: [String] = []

    /// Milliseconds that all fetches may take together.
    private static let patience: Int64 = 60_000

    init(_ configuration: Configuration) {
        guard !configuration.fetchedKeys.isEmpty else { return }
        let origins = configuration.fetchedKeys.map(\.origin)
        let service = KeyService(say: { _ in })
        guard (try? service.follow(origins)) != nil else { return }
        service.waitForFirst(milliseconds: Self.patience)
        let statuses = service.statuses
        service.end()
        for (keys, status) in zip(configuration.fetchedKeys, statuses) { note(status, at: keys.place) }
    }

    private mutating func note(_ status: KeyStatus, at place: Place) {
        for problem in status.leftOut.prefix(Limits.keyProblemsShown) {
            problems.append(
                Problem(.warning, at: place, "a key of \(status.origin.shown) is left out: \(problem)", fix: "have the issuer correct it"))
        }
        let rest = status.leftOut.count - Limits.keyProblemsShown
        if rest > 0 {
            problems.append(
                Problem(
                    .warning, at: place, "\(rest) more keys of \(status.origin.shown) are left out", fix: "have the issuer correct them"))
        }
        if let error = status.error {
            problems.append(
                Problem(.warning, at: place, "the keys of \(status.origin.shown) can't be fetched: \(error)", fix: Self.remedy(error.cause))
            )
        } else if status.isAvailable {
            found.append("\(status.keyCount) key\(status.keyCount == 1 ? "" : "s") fetched from \(status.origin.shown)")
        } else {
            problems.append(
                Problem(.warning, at: place, "the keys of \(status.origin.shown) were not fetched in time", fix: Self.remedy(.timeout)))
        }
    }

    /// Errors of the files of authorities.
    static func authorityProblems(of configuration: Configuration) -> [Problem] {
        configuration.fetchedKeys.compactMap { keys in
            guard let file = keys.origin.authorities, let place = keys.authoritiesPlace else { return nil }
            do throws(TLSConfigurationError) {
                _ = try TLSClientContext(authorities: file)
                return nil
            } catch {
                return Problem(at: place, error.description, fix: "name a PEM file with the certificates of the authorities")
            }
        }
    }

    private static func remedy(_ cause: FetchFailure.Cause) -> String {
        switch cause {
        case .dns, .connect, .timeout: "check the address, and that this machine may reach it"
        case .tls: "check the address: does TLS 1.2 or 1.3 answer there?"
        case .certificate: "have the issuer renew it, or name its authority by `ca_file`"
        case .hostName: "name the host that the certificate is for"
        case .status, .redirect: "name the address at which the document itself is"
        case .tooLarge, .http, .parse, .empty: "check that a JSON Web Key Set for these algorithms is there"
        case .issuer: "write `issuer` exactly as the issuer's metadata has it"
        }
    }
}
