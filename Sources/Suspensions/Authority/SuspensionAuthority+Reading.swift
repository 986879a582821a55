import Policy
import Synchronization

/// Reading users at their service, to settle what is unknown and to find what has drifted.
extension SuspensionAuthority {
    /// Has users read from `source` whose calls are unconfirmed, from now on. `late`: seconds for which each directory's lost calls may be
    /// carried out late. To be called again when credentials have changed, so that whoever waits for one is read.
    package func readUsers(from source: any UserSource, late: [Int64]) {
        surroundings.run { [self] in
            state.withLock { $0.source = source }
            handle(.readable(late: late))
        }
    }

    /// The present in the order of what happens: what is asked for after this was called knows all that happened before.
    var mark: Touches.Mark { state.withLock { $0.machine.touches.mark } }

    /// Whether what a reconcile run finds could be written now: not while the ledger fails for long, or another process has it.
    var takesFindings: Bool { state.withLock { $0.held == nil && $0.machine.hasRoomForFindings } }

    /// A reconcile run begins to look at users, or ends: in between it is remembered to whom something happens.
    func look(_ begins: Bool) { state.withLock { $0.machine.touches.runs += begins ? 1 : -1 } }

    /// Puts findings in force, in memory and durably.
    func apply(_ findings: [Finding], then answer: @escaping @Sendable (FindingBatch) -> Void) {
        handle(keeping: { $0.batches[$1] = answer }) { .found($0, findings) }
    }

    /// Whether a directory has never been filled from its service's list, and nobody was blocked in it when that was first tried.
    func isUnfilled(_ directory: DirectoryIndex) -> Bool {
        state.withLock { $0.fillings[directory] }.map { !$0 } ?? (directory >= usersAtStart.count || usersAtStart[directory] == 0)
    }

    /// Whether the filling of a directory is done; nil where it was never begun.
    func fillings(_ directory: DirectoryIndex) -> Bool? { state.withLock { $0.fillings[directory] } }

    /// Notes durably that the filling of a directory has begun, or is done. True if the ledger could be written.
    func noteFilling(_ directory: DirectoryIndex, isDone: Bool, then answer: @escaping @Sendable (Bool) -> Void) {
        writer.submit([.filling(directory, isDone: isDone)]) { [self] error in
            if error == nil { state.withLock { $0.fillings[directory] = isDone } }
            answer(error == nil)
        }
    }

    /// Everybody in a directory whom the service's word blocks, as far as nobody changes meanwhile; nil where they are more than `limit`,
    /// or the ledger can't be read. Reads a page at a time, so that the ledger's writes get their turn in between.
    func blocked(in directory: DirectoryIndex, limit: Int, then answer: @escaping @Sendable ([Subject]?) -> Void) {
        var query = BlockQuery(limit: Limits.ledgerScan)
        (query.directory, query.source) = (directory, .upstream)
        readOn(query, into: Gathering(), limit: limit, then: answer)
    }

    private func readOn(
        _ query: BlockQuery, into gathering: Gathering, limit: Int, then answer: @escaping @Sendable ([Subject]?) -> Void
    ) {
        let isTaken = writer.read { [self] store in
            guard let page = try? store.blocks(query), gathering.add(page) <= limit else { return answer(nil) }
            guard let next = page.next else { return answer(gathering.subjects) }
            var query = query
            query.after = next
            readOn(query, into: gathering, limit: limit, then: answer)
        }
        if !isTaken { answer(nil) }
    }
}

/// Users of page after page.
private final class Gathering: Sendable {
    private let gathered = Mutex<[Subject]>([])

    var subjects: [Subject] { gathered.withLock { $0 } }

    /// Returns how many there are then.
    func add(_ page: BlockPage) -> Int {
        gathered.withLock { gathered in
            gathered += page.blocks.lazy.map(\.subject)
            return gathered.count
        }
    }
}
