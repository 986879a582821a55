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
            file.more = ["limits: {suspend_calls_per_minute: 100000, open_suspend_calls: 64}"]
        }
        let oracle = try CommitOracle(world)
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
            tally.add(calls)
            try world.killAndRestart()
            try compare(town, world, oracle, calls, round)
        }
        print("durability: \(tally.answered) answered and \(tally.unanswered) unanswered calls in \(Self.rounds) rounds")
        #expect(tally.answered > Self.rounds, "too few calls were answered for the test to mean anything")
        #expect(tally.unanswered > Self.rounds / 4, "too few calls were cut off for the test to mean anything")
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

private struct Tally {
    var answered = 0
    var unanswered = 0

    mutating func add(_ calls: [SuspendCall]) {
        answered += calls.count { $0.commit != nil }
        unanswered += calls.count { $0.commit == nil }
    }
}

/// A suspend or reactivate call as its caller saw it.
struct SuspendCall: Sendable {
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
        let token = dialect.token("admin-\(number)".uuid(if: dialect.isJITSudo), roles: ["admin"])
        while true {
            let user = random.pick(town.users(of: number))
            let active = random.chance(50)
            do {
                let answer = try client.exchange(dialect.setActive(active, user.id, token: token))
                guard answer.status == 200, let commit = answer.commitNumber, !answer.isCut else {
                    violations.append("\(user.id): \(answer.status) \(answer.text)")
                    return
                }
                calls.append(SuspendCall(user: user, active: active, commit: commit))
            } catch {
                calls.append(SuspendCall(user: user, active: active, commit: nil))
                return
            }
            guard let after = try? probe.exchange(dialect.probe(dialect.token(user.id))) else { return }
            if !user.isShared, isBlocked(after) != !active { violations.append("\(user.id) after active=\(active): \(after.status)") }
        }
    }
}
