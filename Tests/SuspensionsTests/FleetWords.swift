import Policy
import Testing

@testable import Suspensions

/// The beginning of the only epoch that a test's shared log has.
let fleetStart = FleetEpochs.Epoch(number: 1, after: 0).start
let firstEpoch = FleetEpochs([FleetEpochs.Epoch(number: 1, after: 0)])

/// What this gateway's clock shows in tests in which it matters: milliseconds since 1970.
let wallHere: Int64 = 50_000_000

/// A gateway that has joined, over a ledger of its own.
func joinedAuthority(_ folder: LedgerFolder, surroundings: AuthoritySurroundings? = nil) throws -> SuspensionAuthority {
    try joinedAuthority(folder.open(), surroundings: surroundings)
}

func joinedAuthority(_ ledger: SQLiteLedger, surroundings: AuthoritySurroundings? = nil) throws -> SuspensionAuthority {
    var here = AuthoritySurroundings.live()
    here.wall = { wallHere }
    let authority = try SuspensionAuthority(
        store: ledger, reaches: [.tenant, .directory], surroundings: surroundings ?? here, onBlock: { _ in })
    _ = try authority.step { transaction, scopes in try transaction.join(log: "log", epochs: firstEpoch, scopes) }
    return authority
}

/// What another gateway says of anna; `number` and `base` count from the epoch's beginning.
func othersWord(
    _ number: Int64, base: Int64, _ state: UserState, _ source: BlockSource = .upstream, directory: String = "rinne", at: Int64? = nil,
    learned: Learned = .call
) -> FleetEntry {
    FleetEntry(
        head: FleetHead(writer: "other", local: number, number: fleetStart + number, base: fleetStart + base, state: state),
        directory: directory, tenant: nil, user: Array("anna".utf8), source: source, learned: learned, actor: "admin", requestID: "r",
        reason: "", at: at ?? 1000 + number, since: nil)
}

/// A call about anna that the service confirms.
func confirmCall(_ wanted: UserState, at gateway: SuspensionAuthority) {
    let call = IntentCall(subject: anna, wanted: wanted, caller: Caller("admin"), requestID: [])
    guard case .proceed(let ticket) = awaited({ gateway.begin(call, then: $0) }) else {
        Issue.record("it may not begin")
        return
    }
    #expect(awaited { gateway.finish(ticket, .confirmed, then: $0) } == .settled)
}
