import Foundation
import Synchronization
import TestSupport

/// Every answer of a run over several gateways, with when it was asked for and read: what the checker looks at afterwards.
final class FleetHistory: Sendable {
    struct Call: Sendable {
        let user: String
        let gateway: Int
        let active: Bool
        let begun: Double
        let ended: Double
        /// Nil where no answer came: then nobody knows.
        let status: Int?
        /// The service's commit; nil where it isn't known.
        let commit: Int?
    }

    struct Look: Sendable {
        let user: String
        let gateway: Int
        let begun: Double
        let ended: Double
        let isBlocked: Bool
    }

    private let calls = Mutex<[Call]>([])
    private let looks = Mutex<[Look]>([])
    /// Times at which gateways may not have heard of each other.
    private let outages = Mutex<[(Double, Double)]>([])

    static func now() -> Double { ProcessInfo.processInfo.systemUptime }

    var allCalls: [Call] { calls.withLock { $0 } }
    var lookCount: Int { looks.withLock { $0.count } }

    func call(_ active: Bool, _ user: String, on client: WireClient?, gateway: Int) -> Bool {
        let begun = Self.now()
        let answer = try? client?.exchange(Dialect.jitsudo.setActive(active, user))
        let call = Call(
            user: user, gateway: gateway, active: active, begun: begun, ended: Self.now(), status: answer?.status,
            commit: answer?.commitNumber)
        calls.withLock { $0.append(call) }
        return answer != nil
    }

    func look(_ user: String, on client: WireClient?, gateway: Int) -> Bool {
        let begun = Self.now()
        guard let answer = try? client?.exchange(Dialect.jitsudo.probe(Dialect.jitsudo.token(user))), let isBlocked = isBlocked(answer)
        else {
            return false
        }
        let look = Look(user: user, gateway: gateway, begun: begun, ended: Self.now(), isBlocked: isBlocked)
        looks.withLock { $0.append(look) }
        return true
    }

    func outage(_ body: () throws -> Void) rethrows {
        let begun = Self.now()
        try body()
        outages.withLock { $0.append((begun, Self.now())) }
    }

    // MARK: judging

    /// Every look that admitted a user whose acknowledged suspension had to be in force there: at the gateway that carried it from the 2xx
    /// on, at the others a while later, outages apart. It is over when a reactivation that the service carried out later has begun.
    func lost(within patience: Double) -> [String] {
        let (calls, outages) = (allCalls, outages.withLock { $0 })
        let suspensions = Dictionary(grouping: calls.filter { !$0.active && $0.status == 200 && $0.commit != nil }, by: \.user)
        let reactivations = Dictionary(grouping: calls.filter { $0.active && ($0.status == nil || $0.status == 200) }, by: \.user)
        return looks.withLock { $0 }.filter { !$0.isBlocked }.flatMap { look in
            (suspensions[look.user] ?? []).filter { call in
                let isOwn = call.gateway == look.gateway
                guard call.ended + (isOwn ? 0 : patience) < look.begun else { return false }
                if !isOwn, outages.contains(where: { $0.0 < look.ended && $0.1 + patience > call.begun }) { return false }
                return !(reactivations[look.user] ?? []).contains { other in
                    other.begun < look.ended && other.commit.map { $0 > call.commit! } ?? true
                }
            }.map { call in
                "\(look.user) was admitted at \(look.gateway) at \(look.begun), though suspended at \(call.gateway) at \(call.ended)"
            }
        }
    }

    /// The user's last call that is known to have been carried out; nil where a later one may have been.
    func lastWord(_ user: String) -> Call? {
        let all = allCalls.filter { $0.user == user }
        return all.contains { $0.status == nil } ? nil : all.filter { $0.commit != nil && $0.status == 200 }.max { $0.commit! < $1.commit! }
    }
}
