import Foundation
import Synchronization
import TestSupport

/// Several gateways on one PostgreSQL, in front of the same two demo services: all real programs.
final class FleetStand: Sendable {
    let postgres: TestPostgres
    let jitsudo: UserServiceProcess
    let rinne: UserServiceProcess
    let users: [String]
    private let services: TemporaryFolder
    private let folders: [TemporaryFolder]
    private let files: [String]
    private let running: Mutex<[Gateway]>

    /// `fleet`: further keys of the section, `acknowledge: all`; `uri`: how the database is named, if not by its address.
    init(
        gateways count: Int = 3, users: Int = 20, fleet: [String] = [], postgres: TestPostgres? = nil, uri: String? = nil,
        _ edit: (inout GatewayFile) -> Void = { _ in }
    ) throws {
        let database = try postgres ?? TestPostgres()
        self.postgres = database
        services = try TemporaryFolder()
        let names = (0..<users).map { "fleet-\($0)".uuid(if: true) }
        self.users = names
        jitsudo = try UserServiceProcess(.jitsudo, in: services, users: names.map(Self.seed) + [Self.seed(Dialect.jitsudo.admin)])
        rinne = try UserServiceProcess(.rinne, in: services)
        let (one, two) = (jitsudo.port, rinne.port)
        folders = try (0..<count).map { _ in try TemporaryFolder() }
        files = try folders.enumerated().map { number, folder in
            var file = GatewayFile(jitsudo: one, rinne: two)
            let keys = ["database: \"\(uri ?? database.uri)\"", "name: g\(number)"] + fleet
            file.more = [
                "probes: {address: 127.0.0.1:0}", "fleet: {\(keys.joined(separator: ", "))}",
                "limits: {suspend_calls_per_minute: 100000, open_suspend_calls: 64}",
            ]
            edit(&file)
            return try file.write(to: folder)
        }
        running = Mutex(try zip(files, folders).map { try Gateway(file: $0, in: $1) })
    }

    private static func seed(_ user: String) -> [String: Any] {
        [
            "id": user.uppercased(), "tenants": [Dialect.jitsudo.tenant.uppercased()], "email": "\(user)@fleet.example",
            "first_name": "A", "last_name": "B", "roles": ["admin"],
        ]
    }

    var gateways: [Gateway] { running.withLock { $0 } }

    /// SIGKILL.
    func kill(_ number: Int) { gateways[number].process.kill() }

    /// Takes away what a gateway that has ended knew.
    func forgetLedger(of number: Int) throws {
        let folder = folders[number].url.appending(path: "var")
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            try FileManager.default.removeItem(at: file)
        }
    }

    /// Starts a gateway that has ended, on its file and ledger.
    func start(_ number: Int) throws {
        let gateway = try Gateway(file: files[number], in: folders[number])
        running.withLock { $0[number] = gateway }
    }

    /// `tenantgate suspensions …` with a gateway's file.
    func command(_ number: Int, _ words: String...) throws -> (status: Int32, output: String, errors: String) {
        try command(number, words)
    }

    func command(_ number: Int, _ words: [String]) throws -> (status: Int32, output: String, errors: String) {
        let arguments = ["suspensions", words[0], "--config", files[number]] + words.dropFirst()
        return try ChildProcess.run(try BuildProducts.program("tenantgate").path, arguments, in: folders[number])
    }

    /// A file in a gateway's folder.
    func write(_ text: String, to name: String, of number: Int) throws -> String { try folders[number].write(text, to: name) }

    /// Suspends or reactivates at one gateway.
    @discardableResult
    func setActive(_ active: Bool, _ user: String, at number: Int) throws -> WireAnswer {
        try gateways[number].ask(Dialect.jitsudo.setActive(active, user))
    }

    func isBlocked(_ user: String, at number: Int) throws -> Bool? {
        ScenarioTests.isBlocked(try gateways[number].ask(Dialect.jitsudo.probe(Dialect.jitsudo.token(user))))
    }

    /// Waits until every gateway refuses the user, or none does. Whether it came to that.
    func waitUntil(_ user: String, isBlocked: Bool, at numbers: [Int]? = nil, seconds: Double = 15) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            if try (numbers ?? Array(gateways.indices)).allSatisfy({ try self.isBlocked(user, at: $0) == isBlocked }) { return true }
            Thread.sleep(forTimeInterval: 0.01)
        } while Date() < deadline
        return false
    }

    /// Waits until a metric of a gateway is as wanted. Whether it came to that.
    func waitFor(_ metric: String, at number: Int, seconds: Double = 20, _ isWanted: (Double) -> Bool) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            if let value = try gateways[number].metrics()[metric], isWanted(value) { return true }
            Thread.sleep(forTimeInterval: 0.02)
        } while Date() < deadline
        return false
    }

    /// Waits until every gateway has joined and has published all it has.
    func waitUntilJoined(seconds: Double = 20) throws -> Bool {
        try gateways.indices.allSatisfy { number in
            try waitFor("tenantgate_fleet_link{state=\"joined\"}", at: number, seconds: seconds) { $0 == 1 }
                && waitFor("tenantgate_fleet_unpublished", at: number, seconds: seconds) { $0 == 0 }
        }
    }

    /// Waits until every gateway has joined and all have heard of the same. Whether it came to that.
    func waitUntilLevel(seconds: Double = 20) throws -> Bool {
        guard try waitUntilJoined(seconds: seconds) else { return false }
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            let numbers = try gateways.map { try $0.metrics()["tenantgate_fleet_applied_number"] }
            if numbers.allSatisfy({ $0 != nil && $0 == numbers[0] }) { return true }
            Thread.sleep(forTimeInterval: 0.02)
        } while Date() < deadline
        return false
    }
}
