import Foundation
import TestSupport
import Testing

/// An issuer for each of many tenants. `TENANTGATE_ISSUERS=5000 TENANTGATE_ISSUER_REQUESTS=20000` is the long form; the figures are printed.
@Suite("many issuers", .serialized, .timed)
struct ManyIssuersTests {
    private static let count = environmentNumber("TENANTGATE_ISSUERS", default: 200)
    private static let requests = environmentNumber("TENANTGATE_ISSUER_REQUESTS", default: 400)

    @Test("thousands of issuers start quickly, and a request costs what it costs with one")
    func cost() throws {
        let few = try Measured(issuers: 1)
        let many = try Measured(issuers: Self.count)
        for measured in [few, many] { print("many issuers: \(measured)") }
        #expect(many.seconds < 30)
        #expect(many.memory - few.memory < 32 * 1024 + 16 * Self.count)
        #expect(many.remembered < few.remembered * 2 + 0.1)
        #expect(many.fresh < few.fresh * 2 + 0.1)
    }

    @Test("an issuer is added, replaced and removed while the gateway runs")
    func reload() throws {
        let stand = try ReloadStand {
            $0.more = ["credentials_dir: issuers"]
        } prepare: {
            try Issuers.write(1, to: $0)
        }
        let client = try stand.gateway.client()
        func status(_ number: Int) throws -> Int { try client.exchange(Issuers.request(number, stand)).status }
        #expect(try status(1) == 200)
        #expect(try status(2) == 401)
        try Issuers.write(2, to: stand.folder)
        #expect(try stand.nextReload() == "reloaded \(stand.file): issuers")
        #expect(try status(2) == 200)
        try FileManager.default.removeItem(atPath: stand.folder.path("issuers/1.yaml"))
        #expect(try stand.nextReload() == "reloaded \(stand.file): issuers")
        #expect(try status(1) == 401)
        #expect(try status(2) == 200)
    }

    /// Start time, memory and CPU time of a gateway with so many issuers.
    private struct Measured: CustomStringConvertible {
        let issuers: Int
        let seconds: Double
        let memory: Int
        /// CPU seconds of the requests with one token, and of those with a new token each.
        let remembered: Double
        let fresh: Double

        init(issuers count: Int) throws {
            issuers = count
            let stand = try ReloadStand {
                $0.more = ["credentials_dir: issuers"]
            } prepare: { folder in
                for number in 1...count { try Issuers.write(number, to: folder) }
            }
            seconds = stand.gateway.process.cpuSeconds
            memory = stand.gateway.process.residentMemory
            let client = try stand.gateway.client()
            remembered = try Self.cost(stand) { _ in try client.exchange(stand.get("/v1/things")).status }
            fresh = try Self.cost(stand) { try client.exchange(Issuers.request($0 % count + 1, stand, unique: $0)).status }
        }

        private static func cost(_ stand: ReloadStand, _ ask: (Int) throws -> Int) throws -> Double {
            // The loops alone: files are still being looked at beside them.
            let before = stand.gateway.process.cpuSeconds(ofThreads: "loop-")
            for number in 0..<requests { #expect(try ask(number) == 200) }
            return stand.gateway.process.cpuSeconds(ofThreads: "loop-") - before
        }

        var description: String {
            func micros(_ seconds: Double) -> Int { Int(seconds * 1_000_000) / requests }
            return "\(issuers): start \(String(format: "%.2f", seconds)) s CPU, \(memory) KiB, a request with a remembered token "
                + "\(micros(remembered)) µs, with a new one \(micros(fresh)) µs"
        }
    }
}

/// Issuers with an Ed25519 key each, one per file, each bound to one tenant of JITSudo's.
enum Issuers {
    private static func forge(_ number: Int) -> TokenForge {
        TokenForge(
            issuer: "https://login.tenant-\(number).example", audience: "user-api",
            key: .ed25519(seed: (0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 4 * 8)) ^ UInt8($0) }))
    }

    private static func tenant(_ number: Int) -> String { "tenant-\(number)".uuid(if: true) }

    static func write(_ number: Int, to folder: TemporaryFolder) throws {
        let forge = forge(number)
        try folder.write(forge.key.publicPEM ?? "", to: "keys/\(number).pem")
        try folder.write(
            """
            issuer: \(forge.issuer)
            directory: jitsudo
            audience: [user-api]
            algorithms: [EdDSA]
            keys: {pem_file: ../keys/\(number).pem}
            tenants: [\(tenant(number))]

            """, to: "issuers/\(number).yaml")
    }

    /// A request in the issuer's tenant; `unique` makes its token another one each time.
    static func request(_ number: Int, _ stand: ReloadStand, unique: Int = 0) -> String {
        let token = forge(number).token(user: TestIssuers.acmeMember, ["tenant_id": tenant(number), "jti": "\(unique)"])
        return TestSupport.request("GET", "/v1/things", token: token, tenant: tenant(number))
    }
}
