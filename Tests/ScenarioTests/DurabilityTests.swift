import Foundation
import TestSupport
import Testing

/// SIGKILL at random moments: what was acknowledged is in force, nobody is blocked whom the service never suspended (invariants 3, 4).
@Suite("durability", .serialized, .timed)
struct DurabilityTests {
    /// `TENANTGATE_DURABILITY_ROUNDS` makes it longer, `TENANTGATE_SEED` repeats a run.
    private static let rounds = environmentNumber("TENANTGATE_DURABILITY_ROUNDS", default: 50)
    private static let seed = environmentNumber("TENANTGATE_SEED", default: Int(Date().timeIntervalSince1970))

    @Test("after every kill, every user is as the answers said that were read")
    func killed() throws {
        print("durability: seed \(Self.seed), \(Self.rounds) rounds")
        let town = Town()
        let world = try World(users: ["jitsudo": town.seed(.jitsudo), "rinne": town.seed(.rinne)]) { file in
            file.more = [
                "limits: {suspend_calls_per_minute: 100000, open_suspend_calls: 64}",
                // Callers name their requests, to find them in the ledger.
                "trusted_proxies: [127.0.0.1/32]",
            ]
        }
        let oracle = try CommitOracle(world)
        for user in town.users { town.note(user, blocked: false, watermark: try oracle.commits(user, after: 0).last?.number) }
        var random = SeededRandom(seed: UInt64(Self.seed))
        var tally = Tally()
        for round in 0..<Self.rounds {
            let callers = try (0..<4).map { try Caller($0, town: town, gateway: world.gateway, seed: random.next()) }
            let threads = callers.map { caller in TestThread { caller.run() } }
            Thread.sleep(forTimeInterval: Double.random(in: 0.03..<0.35, using: &random))
            world.gateway.process.kill()
            for thread in threads { thread.wait() }
            let calls = callers.flatMap(\.calls)
            for caller in callers { #expect(caller.violations.isEmpty, "round \(round): \(caller.violations)") }
            let killed = try LedgerTrail(world)
            try world.killAndRestart()
            try compareLedger(killed, try LedgerListing(world), oracle, town, calls, round)
            tally.add(calls, killed)
            try compare(town, world, oracle, calls, round)
        }
        print("durability: \(tally) in \(Self.rounds) rounds")
        #expect(tally.answered > Self.rounds, "too few calls were answered for the test to mean anything")
        #expect(tally.unanswered > Self.rounds / 4, "too few calls were cut off for the test to mean anything")
        #expect(tally.pending > Self.rounds / 10, "too few calls were cut off after their intent was written")
    }

    /// Every call whose intent was written is in the log: confirmed, or as unconfirmed and on top of the list. None that reached the
    /// service is without a trace.
    private func compareLedger(
        _ killed: LedgerTrail, _ restarted: LedgerListing, _ oracle: CommitOracle, _ town: Town, _ calls: [SuspendCall], _ round: Int
    ) throws {
        for call in calls {
            let entries = restarted.entries[call.request] ?? []
            let isConfirmed = entries.map(\.learned) == ["call"] && entries[0].isSuspended == !call.active
            let isUnconfirmed = entries.map(\.learned) == ["crash"] && restarted.unconfirmed[call.request] == call.user.id
            if call.commit != nil {
                #expect(isConfirmed, "round \(round): \(call) was answered, its log is \(entries)")
            } else if killed.pending.contains(call.request) {
                #expect(isUnconfirmed, "round \(round): \(call) was pending, its log is \(entries)")
            } else if killed.logged.contains(call.request) {
                #expect(isConfirmed, "round \(round): \(call) was confirmed, its log is \(entries)")
            } else {
                #expect(entries.isEmpty, "round \(round): \(call) was never begun, its log is \(entries)")
            }
        }
        for user in town.users {
            let mine = calls.filter { $0.user == user }
            let unread = try oracle.commits(user, after: town.watermark(user)).count - mine.count { $0.commit != nil }
            let known = mine.count { $0.commit == nil && killed.knows($0.request) }
            #expect(unread <= known, "round \(round), \(user.id): \(unread) unanswered commits, \(known) in the ledger, \(mine)")
        }
    }

    /// Holds every user's state at the gateway to what may be, then notes it as the state that the next round starts from.
    private func compare(_ town: Town, _ world: World, _ oracle: CommitOracle, _ calls: [SuspendCall], _ round: Int) throws {
        let clients = [Dialect.jitsudo.description: try world.gateway.client(), Dialect.rinne.description: try world.gateway.client()]
        for user in town.users {
            let commits = try oracle.commits(user, after: town.watermark(user))
            let mine = calls.filter { $0.user == user }
            let allowed = allowedStates(from: town.state(user), commits: commits, calls: mine)
            let client = try #require(clients[user.dialect.description])
            let answer = try client.exchange(user.dialect.probe(user.dialect.token(user.id)))
            guard let blocked = isBlocked(answer) else {
                Issue.record("round \(round): \(user.id) got \(answer.status) \(answer.text)")
                continue
            }
            #expect(
                allowed.contains(blocked),
                "round \(round), \(user.id): blocked is \(blocked), before \(town.state(user)), \(mine), \(commits)")
            town.note(user, blocked: blocked, watermark: commits.last?.number)
        }
    }
}

/// The states in which a user may be at the gateway: that of the last answer read, or of an unanswered call that the service committed
/// after it.
private func allowedStates(from before: Bool, commits: [CommitOracle.Commit], calls: [SuspendCall]) -> Set<Bool> {
    let last = calls.filter { $0.commit != nil }.max { $0.commit! < $1.commit! }
    var allowed: Set<Bool> = [last.map { !$0.active } ?? before]
    let answered = Set(calls.compactMap(\.commit))
    for commit in commits where commit.number > last?.commit ?? 0 && !answered.contains(commit.number) {
        allowed.insert(commit.suspended)
    }
    return allowed
}

private struct Tally: CustomStringConvertible {
    var answered = 0
    var unanswered = 0
    /// Of the unanswered ones those whose intent was written and whose outcome wasn't, and those that were confirmed already.
    var pending = 0
    var confirmed = 0

    mutating func add(_ calls: [SuspendCall], _ killed: LedgerTrail) {
        let cut = calls.filter { $0.commit == nil }
        answered += calls.count - cut.count
        unanswered += cut.count
        pending += cut.count { killed.pending.contains($0.request) }
        confirmed += cut.count { killed.logged.contains($0.request) }
    }

    var description: String {
        "\(answered) answered and \(unanswered) unanswered calls, of these \(pending) pending and \(confirmed) confirmed in the ledger,"
    }
}

/// A suspend or reactivate call as its caller saw it.
struct SuspendCall: Sendable {
    /// Its `X-Request-ID`.
    let request: String
    let user: Town.User
    let active: Bool
    /// Of the 2xx that was read; nil where none was.
    let commit: Int?
}

/// One caller on a connection of its own: suspends and reactivates users until the gateway is gone.
private final class Caller: @unchecked Sendable {  // one thread at a time: first `run`'s, then the test's
    private let town: Town
    private let gateway: Gateway
    private let number: Int
    private var random: SeededRandom
    private(set) var calls: [SuspendCall] = []
    /// What contradicts the promise that a read 2xx is in force at once.
    private(set) var violations: [String] = []

    init(_ number: Int, town: Town, gateway: Gateway, seed: UInt64) throws {
        self.town = town
        self.gateway = gateway
        self.number = number
        random = SeededRandom(seed: seed)
    }

    func run() {
        guard let client = try? gateway.client(), let probe = try? gateway.client() else { return }
        let dialect: Dialect = number % 2 == 0 ? .jitsudo : .rinne
        let run = String(random.next(), radix: 36)
        let token = dialect.token("admin-\(number)".uuid(if: dialect.isJITSudo), roles: ["admin"])
        while true {
            let user = random.pick(town.users(of: number))
            let active = random.chance(50)
            let request = "\(run)-\(calls.count)"
            do {
                let answer = try client.exchange(dialect.setActive(active, user.id, token: token, ["X-Request-ID: \(request)"]))
                guard answer.status == 200, let commit = answer.commitNumber, !answer.isCut else {
                    violations.append("\(user.id): \(answer.status) \(answer.text)")
                    return
                }
                calls.append(SuspendCall(request: request, user: user, active: active, commit: commit))
            } catch {
                calls.append(SuspendCall(request: request, user: user, active: active, commit: nil))
                return
            }
            guard let after = try? probe.exchange(dialect.probe(dialect.token(user.id))) else { return }
            if !user.isShared, isBlocked(after) != !active { violations.append("\(user.id) after active=\(active): \(after.status)") }
        }
    }
}
