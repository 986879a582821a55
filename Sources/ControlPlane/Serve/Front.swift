import NIOCore
import Policy
import Proxy

/// The listeners for people and programs that look after the gateway: probes and admin.
struct Front {
    let probes: ProbesListener?
    let admin: AdminListener?
    /// A line for each, for people.
    let texts: [String]

    /// Listening sockets of the process before.
    struct Handed {
        var probes: CInt?
        var admin: CInt?

        init() {}

        init(_ configuration: Configuration, _ takeOver: TakeOver?) {
            probes = configuration.probes.flatMap { takeOver?.descriptor(HandedSocket.probes($0)) }
            admin = configuration.admin.flatMap { takeOver?.descriptor(HandedSocket.admin($0.address)) }
        }
    }

    init(_ configuration: Configuration, _ standing: Standing, _ news: AdminNews, _ handed: Handed = Handed()) throws(StartFailure) {
        probes = try Self.probes(configuration, standing, handed.probes)
        admin = try Self.admin(configuration, news, handed.admin)
        var texts: [String] = []
        if let probes, let address = configuration.probes {
            let bound = ListenAddress(host: address.host, port: probes.address?.port ?? address.port, isIPv6: address.isIPv6)
            texts.append("probes on \(bound.text)")
        }
        if let admin { texts.append("admin on \(admin.text)") }
        self.texts = texts
    }

    private static func admin(
        _ configuration: Configuration, _ news: AdminNews, _ handed: CInt?
    ) throws(StartFailure) -> AdminListener? {
        guard let settings = configuration.admin else { return nil }
        do { return try AdminListener(settings, news: news, handed: handed) } catch {
            throw StartFailure(
                "The admin listener can't be opened at \(settings.address.text): \(error). Is the address this machine's, and free?")
        }
    }

    private static func probes(
        _ configuration: Configuration, _ standing: Standing, _ handed: CInt?
    ) throws(StartFailure) -> ProbesListener? {
        guard let address = configuration.probes else { return nil }
        do {
            let bound =
                try handed.map { try Gateway.adopt($0, unix: nil) }
                ?? Gateway.bind(try SocketAddress(ipAddress: address.host, port: address.port))
            return try ProbesListener(bound, standing)
        } catch {
            throw StartFailure("\(address.text) can't be listened on: \(error). Is it this machine's, and free?")
        }
    }
}
