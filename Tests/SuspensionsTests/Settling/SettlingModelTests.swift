import Testing

@testable import Suspensions

/// Every order of everything that can happen to one user at one gateway, by breadth-first search over the real machine: calls, answers that
/// are lost before or after the service has done what they ask, lost calls that are carried out late, reads that see the service at any
/// moment between their question and their answer, operators who block and lift by hand, ledger writes that end late or fail, and a crash
/// anywhere.
///
/// In every state that can be reached:
/// - nobody is blocked but by a confirmed suspension, because the service itself showed the user as suspended, or by an operator;
/// - a suspension that its caller has read is in force until a reactivation is sent, or may have been, or an operator lifts it; no read
///   lifts it that is older, and no read blocks anybody that is older than an operator's lift;
/// - an operator's block that is done is in force until an operator lifts it, and a lift that is done is, unless something blocked since;
/// - when everything has come to rest, no call is unconfirmed any more, and nobody acts here whom the service has suspended.
@Suite("every order of calls, lost answers, late commits, reads and crashes")
struct SettlingModelTests {
    @Test(
        "an unconfirmed call blocks nobody, no older read lifts an acknowledged suspension, and everything is settled in the end",
        arguments: [
            Budget(calls: 3), Budget(calls: 3, crashes: 1), Budget(calls: 2, crashes: 2), Budget(calls: 3, failures: 1),
            Budget(calls: 2, crashes: 1, failures: 1), Budget(calls: 2, hands: 2), Budget(calls: 1, hands: 3),
            Budget(calls: 1, hands: 2, crashes: 1), Budget(calls: 1, hands: 2, failures: 1),
        ])
    func everyOrder(budget: Budget) {
        var seen: Set<[Int]> = []
        var frontier = [SettlingWorld(budget)]
        var (depth, rests) = (0, 0)
        while !frontier.isEmpty {
            var next: [SettlingWorld] = []
            for world in frontier {
                for step in world.steps {
                    var after = world
                    after.take(step)
                    guard seen.insert(after.key).inserted else { continue }
                    if let fault = after.fault {
                        Issue.record("\(fault): \(after.story)")
                        return
                    }
                    if after.isAtRest { rests += 1 }
                    next.append(after)
                }
            }
            frontier = next
            depth += 1
            guard depth < 200 else {
                Issue.record("no end: \(frontier.first?.story ?? "")")
                return
            }
        }
        print("settling: \(budget): \(seen.count) states, \(depth) steps deep, \(rests) at rest")
        #expect(seen.count > 1000 && rests > 3)
    }

    /// How much may happen.
    struct Budget: Sendable, CustomTestStringConvertible, CustomStringConvertible {
        var calls = 0
        /// Operators' changes.
        var hands = 0
        var crashes = 0
        var failures = 0

        var description: String { "\(calls) calls, \(hands) by hand, \(crashes) crashes, \(failures) failures" }
        var testDescription: String { description }
    }
}
