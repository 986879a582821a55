import Policy
import Proxy
import TLS

/// Makes upstreams of the file's settings, with the certificates and authorities that they name.
struct UpstreamMaker {
    /// Upstreams that name the same files share a context: reading what the system trusts takes a while.
    private var contexts: [Files: TLSClientContext] = [:]

    private struct Files: Hashable {
        let authorities: String?
        let chain: String?
        let key: String?
    }

    /// Throws only what the check would have found. Reads files.
    mutating func make(_ settings: UpstreamSettings) throws(TLSConfigurationError) -> Upstream {
        var tls: UpstreamTLS?
        if let wanted = settings.tls { tls = UpstreamTLS(context: try context(wanted), name: wanted.name) }
        return Upstream(
            name: settings.name, servers: settings.servers.map(Upstream.Server.init), base: settings.base, tls: tls,
            times: Upstream.Times(
                connect: settings.connectTimeoutMilliseconds, idle: settings.idleTimeoutMilliseconds,
                keepAlive: settings.keepAliveMilliseconds),
            bounds: Upstream.Bounds(
                connections: settings.connections, waiting: settings.waiting, callerShare: settings.callerShare),
            ejection: EjectionRules(
                failures: settings.ejection.failures, time: settings.ejection.timeMilliseconds,
                maximum: settings.ejection.maximumMilliseconds),
            circuit: CircuitRules(timeouts: settings.circuit.timeouts, open: settings.circuit.openMilliseconds),
            health: settings.health.map { health in
                HealthRules(
                    path: health.path, interval: health.intervalMilliseconds, timeout: health.timeoutMilliseconds,
                    healthy: health.healthy, unhealthy: health.unhealthy)
            })
    }

    /// What is wrong with the files that upstreams name.
    static func problems(of configuration: Configuration) -> [Problem] {
        var maker = UpstreamMaker()
        return configuration.upstreams.compactMap { settings in
            guard let tls = settings.tls else { return nil }
            do throws(TLSConfigurationError) {
                guard let warning = try maker.context(tls).warnings.first, let files = tls.certificate else { return nil }
                return Problem(.warning, at: files.chainPlace, warning.description, fix: "replace the certificate")
            } catch {
                return Problem(at: tls.place(of: error), error.description, fix: error.remedy)
            }
        }
    }

    private mutating func context(_ tls: UpstreamTLSSettings) throws(TLSConfigurationError) -> TLSClientContext {
        let files = Files(authorities: tls.authorities, chain: tls.certificate?.chain, key: tls.certificate?.key)
        if let context = contexts[files] { return context }
        let certificate = tls.certificate.map { TLSServerConfiguration.Certificate(chain: $0.chain, key: $0.key) }
        let context = try TLSClientContext(authorities: tls.authorities, certificate: certificate)
        contexts[files] = context
        return context
    }
}

extension UpstreamTLSSettings {
    fileprivate func place(of error: TLSConfigurationError) -> Place {
        switch error {
        case .chain: certificate?.chainPlace ?? place
        case .key, .keyMismatch: certificate?.keyPlace ?? place
        default: place
        }
    }
}

extension Upstream.Server {
    fileprivate init(_ server: UpstreamServer) {
        switch server {
        case .network(let host, let port): self = .network(host: host, port: port)
        case .unix(let path): self = .unix(path: path)
        }
    }
}
