import Foundation
import TLS

/// `tenantgate demo`: both user services, a gateway in front of them with a certificate, keys and a ledger of its own, and what to try.
///
/// Everything stands in one folder and goes when the demo ends.
package final class Demo {
    private let folder: DemoFolder
    private let services: [DemoService]
    private let gateway: GatewayService
    /// What to print: who has which token, and the `curl` lines with their outcomes.
    package let text: String

    private static let cities = [DemoCity.jitsudo, DemoCity.rinne]

    /// Runs the demo until SIGTERM or SIGINT. `port` 0 lets the system choose; `say` gets what to print, once everything listens, `news`
    /// lines of the gateway's, from any thread.
    package static func run(
        port: Int, say: (String) -> Void, news: @escaping @Sendable (String) -> Void
    ) throws(CommandFailure) {
        let signals = ProcessSignals()
        let demo = try Demo(port: port, now: Int64(Date().timeIntervalSince1970), news)
        say(demo.text)
        signals.wait()
        signals.exitOnNext()
        demo.stop()
    }

    private init(port: Int, now: Int64, _ news: @escaping @Sendable (String) -> Void) throws(CommandFailure) {
        let folder = try DemoFolder()
        var services: [DemoService] = []
        do throws(CommandFailure) {
            for city in Self.cities { services.append(try DemoService(dialect: city.dialect, folder: folder)) }
            let issuers = Self.issuers()
            try Self.write(folder, port: port, services: services, issuers: issuers)
            gateway = try Self.start(folder.file("tenantgate.yaml"), news)
            text = try Self.text(
                DemoScript(port: Self.port(of: gateway), admin: gateway.admin?.text ?? "", folder: folder), issuers, now: now)
        } catch {
            for service in services { service.stop() }
            folder.remove()
            throw error
        }
        self.folder = folder
        self.services = services
    }

    private func stop() {
        _ = gateway.drain()
        for service in services { service.stop() }
        folder.remove()
    }
}

extension Demo {
    private static func issuers() -> [String: DemoIssuer] {
        [
            "jitsudo": DemoIssuer(issuer: "https://id.jitsudo.example", audience: "user-api"),
            "rinne": DemoIssuer(issuer: "https://id.rinne.example", audience: "core-api"),
        ]
    }

    private static func write(
        _ folder: DemoFolder, port: Int, services: [DemoService], issuers: [String: DemoIssuer]
    ) throws(CommandFailure) {
        let certificate = try certificate()
        try folder.write("gateway.pem", certificate.certificate)
        try folder.write("gateway.key", certificate.privateKey)
        for (name, text) in ShippedDialects.all { try folder.write("\(name).yaml", text.utf8) }
        try folder.write("admin.token", (DemoIssuer.randomSecret() + "\n").utf8)
        for (name, issuer) in issuers { try folder.write("\(name).secret", (issuer.secret + "\n").utf8) }
        let ports = Dictionary(uniqueKeysWithValues: zip(cities.map(\.dialect), services.map(\.port)))
        try folder.write("tenantgate.yaml", DemoFile.text(port: port, services: ports, issuers: issuers).utf8)
    }

    private static func certificate() throws(CommandFailure) -> SelfSignedCertificate {
        do throws(TLSConfigurationError) {
            return try SelfSignedCertificate(names: "DNS:localhost,IP:127.0.0.1", validFor: 8 * 3600)
        } catch {
            throw CommandFailure("No certificate can be made: \(error).")
        }
    }

    private static func start(_ file: String, _ news: @escaping @Sendable (String) -> Void) throws(CommandFailure) -> GatewayService {
        let checked = Configuration.read(path: file)
        guard let configuration = checked.configuration else {
            throw CommandFailure("The demo's own file is refused:\n" + CheckReport.problems(checked.problems))
        }
        do throws(StartFailure) { return try GatewayService(configuration, say: news) } catch {
            throw CommandFailure("\(error.description) For another port: tenantgate demo --port 0")
        }
    }

    /// The one that the system chose, where the demo was asked for port 0.
    private static func port(of gateway: GatewayService) -> Int {
        let digits = gateway.addresses.first?.split(separator: ":").last?.prefix { $0.isNumber }
        return digits.flatMap { Int($0) } ?? 0
    }

    private static func text(_ script: DemoScript, _ issuers: [String: DemoIssuer], now: Int64) throws(CommandFailure) -> String {
        var tokens = ""
        for city in cities {
            for person in city.people {
                guard let token = try issuers[city.dialect]?.token(for: person, now: now) else { continue }
                let file = script.headerFile(city, person)
                try script.folder.write(URL(fileURLWithPath: file).lastPathComponent, "Authorization: Bearer \(token)\n".utf8)
                tokens += "\(city.dialect) \(person.name) (\(person.role)): \(token)\n"
            }
        }
        return """
            tenantgate demo: the gateway is https://localhost:\(script.port), in front of two user services.
            Its file, keys, ledger and log: \(script.folder.path) (removed when the demo ends; Ctrl-C ends it)

            The dashboard: \(script.admin) with the token in \(script.adminToken)

            ## Tokens, good for 8 hours; also as header lines in files, for curl's -H @FILE

            \(tokens)
            \(cities.map(script.text).joined(separator: "\n"))
            \(script.byHand(.rinne))
            """
    }
}
