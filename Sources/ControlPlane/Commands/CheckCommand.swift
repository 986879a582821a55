import TLS

/// `tenantgate check`: everything that would keep the gateway from starting with a file, or what each route enforces, and whether keys
/// that are fetched can be had.
package enum CheckCommand {
    package static func run(config path: String) -> CommandResult {
        let (configuration, problems, _) = read(path)
        guard let configuration else { return CommandResult(errors: CheckReport.problems(problems), isGood: false) }
        let keys = KeyCheck(configuration)
        let found = keys.found.isEmpty ? "" : "\n" + keys.found.joined(separator: "\n") + "\n"
        let report =
            CheckReport.routes(of: configuration) + CheckReport.replicas(of: configuration)
            + CheckReport.upgrades(of: configuration) + found
        return CommandResult(report, errors: CheckReport.problems(problems + keys.problems))
    }

    /// Reads the file as `serve` does, with the certificates that it names; nil where anything is an error.
    static func read(_ path: String) -> (configuration: Configuration?, problems: [Problem], inputs: InputFiles) {
        let checked = Configuration.read(path: path)
        guard let configuration = checked.configuration else { return (nil, checked.problems, checked.inputs) }
        let problems =
            checked.problems + configuration.listeners.flatMap { certificateProblems(of: $0.tls) }
            + certificateProblems(of: configuration.admin?.tls)
            + KeyCheck.authorityProblems(of: configuration) + UpstreamMaker.problems(of: configuration)
        return (problems.contains { $0.severity == .error } ? nil : configuration, problems, checked.inputs)
    }

    private static func certificateProblems(of tls: ListenerTLS?) -> [Problem] {
        guard let tls else { return [] }
        let problems = tls.certificates.compactMap { files -> Problem? in
            do throws(TLSConfigurationError) {
                let warnings = try TLSContext(server: TLSServerConfiguration(certificates: [files.settings])).warnings
                guard let warning = warnings.first else { return nil }
                return Problem(.warning, at: files.chainPlace, warning.description, fix: "replace the certificate")
            } catch {
                return Problem(at: error.place(in: files), error.description, fix: error.remedy)
            }
        }
        // Each is good by itself; together they may contradict each other.
        guard tls.certificates.count > 1, !problems.contains(where: { $0.severity == .error }) else { return problems }
        do throws(TLSConfigurationError) {
            _ = try TLSContext(server: TLSServerConfiguration(certificates: tls.certificates.map(\.settings)))
            return problems
        } catch {
            return problems + [Problem(at: error.place(in: tls.certificates[1]), error.description, fix: error.remedy)]
        }
    }
}

extension TLSConfigurationError {
    func place(in files: CertificateFiles) -> Place {
        switch self {
        case .key, .keyMismatch: files.keyPlace
        case .authorities: files.clients?.place ?? files.chainPlace
        default: files.chainPlace
        }
    }

    var remedy: String {
        switch self {
        case .keyMismatch: "name the key that the certificate was made for"
        case .chain: "name a PEM file with the certificate first, then its intermediates"
        case .clientsDiffer: "give both the same `client_ca` and `client_certificate`"
        case .key: "name the unencrypted PEM file with its private key"
        case .authorities: "name a PEM file with the certificates of the authorities"
        default: "compare with the example in the README"
        }
    }
}
