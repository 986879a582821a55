import Foundation
import GRDB
import TestSupport
import Testing

/// The world with service tokens: the gateway reads users by itself.
struct ReadingStand {
    let world: World
    let dialect: Dialect

    var service: UserServiceProcess { world.service(of: dialect) }

    /// `late`: how long lost calls may come late; `reconcile`: the key's value.
    init(
        _ dialect: Dialect, late: String = "1s", reconcile: String = "off", users: [[String: Any]]? = nil,
        _ edit: (inout GatewayFile) -> Void = { _ in }
    ) throws {
        self.dialect = dialect
        world = try World(users: users.map { [dialect.service.rawValue: $0] } ?? [:]) { file in
            file.timeout = "1s"
            file.directoryKeys = ["service_tokens: [{file: secrets/service}]", "late_commits: \(late)", "reconcile: \(reconcile)"]
            file.more = ["probes: {address: 127.0.0.1:0}"]
            edit(&file)
        }
    }

    /// Waits until the metric has this value; the last one seen otherwise.
    @discardableResult
    func wait(for sample: String, _ isGood: (Double) -> Bool, seconds: Double = 20) throws -> Double? {
        let end = Date.now.addingTimeInterval(seconds)
        var last: Double?
        while Date.now < end {
            last = try world.gateway.metrics()[sample]
            if let last, isGood(last) { return last }
            usleep(20_000)
        }
        Issue.record("\(sample) is \(last.map { "\($0)" } ?? "not there")")
        return last
    }

    /// Waits until no call is unconfirmed and nobody is to be read any more.
    func waitUntilSettled(seconds: Double = 20) throws {
        try wait(for: "tenantgate_users_to_read", { $0 == 0 }, seconds: seconds)
        #expect(try world.gateway.metrics()["tenantgate_unconfirmed_users"] == 0)
    }

    /// Waits until the gateway refuses the user, or lets him pass.
    func wait(untilBlocked wanted: Bool, _ user: String, seconds: Double = 20) throws -> Bool {
        let end = Date.now.addingTimeInterval(seconds)
        while Date.now < end {
            if try world.isBlocked(user, dialect) == wanted { return true }
            usleep(20_000)
        }
        return false
    }

    /// Suspends or reactivates a user through the gateway.
    func set(_ active: Bool, _ user: String) throws -> WireAnswer { try world.gateway.ask(dialect.setActive(active, user)) }

    /// Changes users past everything, as somebody with the service's database would.
    func inService(_ change: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(path: service.database, configuration: configuration)
        try database.write(change)
        try database.close()
    }

    func suspendInService(_ users: [String], _ suspended: Bool = true) throws {
        try inService { database in
            for user in users {
                try database.execute(
                    sql: "UPDATE users SET suspendedAt = ? WHERE id = ?",
                    arguments: [suspended ? "2026-01-01T00:00:00.000Z" : nil, dialect.isJITSudo ? user.uppercased() : user])
            }
        }
    }

    /// How the ledger says that each user's last change became known; the gateway may not be running.
    func learned(_ user: String) throws -> [String] {
        let listing = try LedgerListing(world)
        return listing.all.filter { ($0["user"] as? String) == user }.compactMap { $0["learned"] as? String }
    }
}
