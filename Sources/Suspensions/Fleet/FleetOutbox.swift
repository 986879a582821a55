import Policy

/// Words on their way from the ledger to the shared log, so that publishing one waits for no other of the ledger's transactions.
///
/// Whole from when the ledger has told all that it has until too many come at once, a word gets lost, or another epoch makes them others:
/// then the ledger is asked again. It doesn't know yet of what is just being published; a word that is published twice is there once.
struct FleetOutbox: Sendable {
    private var words: [FleetEntry] = []
    private var isWhole = false

    /// A transaction has succeeded.
    mutating func take(_ changes: FleetChanges) {
        if changes.epochs != nil { self = FleetOutbox() }
        if let all = changes.asked {
            words = []
            isWhole = all
        }
        guard isWhole else { return }
        words += changes.said
        if words.count > Limits.fleetBatch { self = FleetOutbox() }
    }

    /// At most a batch; nil where it isn't whole.
    mutating func takeAll() -> [FleetEntry]? {
        guard isWhole else { return nil }
        defer { words = [] }
        return words
    }
}
