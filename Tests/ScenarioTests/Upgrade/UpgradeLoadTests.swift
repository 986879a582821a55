import Foundation
import TestSupport
import Testing

/// Upgrades in place while clients ask and callers suspend. `TENANTGATE_UPGRADES=50` is the long form.
@Suite("upgrade under load", .serialized, .timed)
struct UpgradeLoadTests {
    @Test("upgrades under load fail no request and lose no suspension")
    func load() throws {
        let upgrades = environmentNumber("TENANTGATE_UPGRADES", default: 3)
        let town = Town()
        let world = try World(users: ["jitsudo": town.seed(.jitsudo), "rinne": town.seed(.rinne)]) { file in
            file.more = ["limits: {suspend_calls_per_minute: 100000, open_suspend_calls: 64}", "probes: {address: 127.0.0.1:0}"]
        }
        let load = UpgradeLoad(world.gateway.port, town)
        load.waitForRequests(200)
        var old: [Gateway] = []
        var took: [Double] = []
        for _ in 0..<upgrades {
            let start = Date.now
            old.append(try world.upgrade())
            took.append(Date.now.timeIntervalSince(start) * 1000)
            load.waitForRequests(200)
        }
        let result = load.stop()
        for gateway in old {
            #expect(gateway.process.waitForExit(seconds: 30) == 0)
            #expect(gateway.process.errorText.hasSuffix("\nstopped\n"), "\(gateway.process.errorText)")
        }
        print(
            "upgrade under load: \(upgrades) upgrades, \(result.requests) requests, \(result.calls) suspend calls, \(result.failures.count) failed,",
            "\(result.connections) connections, the longest connect and handshake \(Int(result.longestConnect)) ms,",
            "longest suspend call \(Int(result.longestCall)) ms, from start to serving \(took.map { Int($0) }) ms")
        for line in world.gateway.process.errorText.split(separator: "\n") where line.hasPrefix("upgrade: ") { print("  \(line)") }
        #expect(result.failures.isEmpty, "\(result.failures.prefix(5))")
        #expect(result.calls > 20 * upgrades && result.lastAnswers >= 4 * upgrades)
        for user in town.users {
            #expect(try world.isBlocked(user.id, user.dialect) == town.state(user), "\(user) after the last upgrade")
        }
        // And after a start from what the ledger holds.
        try world.killAndRestart()
        for user in town.users { #expect(try world.isBlocked(user.id, user.dialect) == town.state(user), "\(user) in the ledger") }
        for gateway in old { #expect(gateway.probesIsGone) }
    }
}

extension Gateway {
    fileprivate var probesIsGone: Bool { !process.isRunning }
}

/// Clients of both protocols on kept connections, clients on new ones, and callers who suspend and reactivate.
private final class UpgradeLoad: Sendable {
    struct Result: LoadResult {
        var requests = 0
        var connections = 0
        var calls = 0
        /// Answers that told their client to connect anew.
        var lastAnswers = 0
        var longestConnect = 0.0
        var longestCall = 0.0
        var failures: [String] = []
    }

    private let port: Int
    private let town: Town
    private let run = LoadRun(Result())

    init(_ port: Int, _ town: Town) {
        self.port = port
        self.town = town
        let ways = [stay, stay, stay, streams, streams, comeAndGo]
        for way in ways { run.begin { way() } }
        for caller in 0..<4 { run.begin { [self] in call(caller) } }
    }

    func waitForRequests(_ count: Int) { run.waitForRequests(count) }
    func stop() -> Result { run.stop() }

    private var goesOn: Bool { !run.isOver && !run.hasFailed }
    private func fail(_ what: String) { run.note { $0.failures.append(what) } }

    private func connect() -> WireClient? { timed { try WireClient.tls(port: port) } }

    private func timed<Client>(_ connect: () throws -> Client) -> Client? {
        let start = Date.now
        do {
            let client = try connect()
            let took = Date.now.timeIntervalSince(start) * 1000
            run.note { result in
                result.connections += 1
                result.longestConnect = max(result.longestConnect, took)
            }
            return client
        } catch {
            fail("connect: \(error)")
            return nil
        }
    }

    /// One request; the connection to go on with.
    private func ask(_ client: WireClient, _ text: String, status: Int) -> WireClient? {
        do {
            let answer = try client.exchange(text)
            let isGood = answer.status == status && !answer.isCut
            run.note { result in
                result.requests += 1
                if answer.endsConnection { result.lastAnswers += 1 }
            }
            guard isGood else {
                fail("status \(answer.status), \(answer.fields) \(answer.text)")
                return nil
            }
            return answer.endsConnection ? connect() : client
        } catch {
            fail("request: \(error)")
            return nil
        }
    }

    private static let dialect = Dialect.jitsudo

    private func stay() {
        var client = connect()
        while goesOn, let open = client { client = ask(open, Self.dialect.probe(Self.dialect.memberToken), status: 404) }
    }

    private func comeAndGo() {
        while goesOn, let client = connect() {
            _ = ask(client, Self.dialect.probe(Self.dialect.memberToken), status: 404)
            client.stream.close()
        }
    }

    /// HTTP/2; a GOAWAY is what tells a client to connect anew.
    private func streams() {
        let fields =
            GoodStream.pseudo("GET", "/v1/probe") + [
                HTTP2Field("authorization", "Bearer \(Self.dialect.memberToken)"), HTTP2Field("x-tenant-id", Self.dialect.tenant),
            ]
        while goesOn, let client = timed({ try HTTP2Client(port: port) }) {
            while goesOn, client.goaway == nil {
                do {
                    let answer = try client.exchange(fields)
                    run.note { $0.requests += 1 }
                    if answer.status != 404 || answer.reset != nil { fail("stream: \(answer.status) \(answer.wire.text)") }
                } catch {
                    fail("stream: \(error)")
                }
            }
            run.note { $0.lastAnswers += 1 }
            client.stream.close()
        }
    }

    /// Suspends and reactivates its own users, and looks at once whether it is so: on a connection that it keeps, and on a new one.
    private func call(_ number: Int) {
        let dialect: Dialect = number % 2 == 0 ? .jitsudo : .rinne
        let token = dialect.token("admin-\(number)".uuid(if: dialect.isJITSudo), roles: ["admin"])
        let users = town.users(of: number).filter { !$0.isShared }
        var random = SeededRandom(seed: UInt64(number))
        var (client, kept) = (connect(), connect())
        while goesOn, let caller = client, let open = kept {
            let user = random.pick(users)
            let active = random.chance(50)
            let start = Date.now
            client = ask(caller, dialect.setActive(active, user.id, token: token), status: 200)
            let took = Date.now.timeIntervalSince(start) * 1000
            guard client != nil else { return }
            town.note(user, blocked: !active, watermark: nil)
            run.note { result in
                result.calls += 1
                result.longestCall = max(result.longestCall, took)
            }
            let probe = dialect.probe(dialect.token(user.id))
            kept = ask(open, probe, status: active ? 404 : 403)
            if let fresh = connect() {
                _ = ask(fresh, probe, status: active ? 404 : 403)
                fresh.stream.close()
            }
        }
    }
}
