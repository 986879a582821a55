package import Policy

/// What one writer last said about a subject and source, as far as nobody who knew of it has said anything since.
///
/// A writer is one run of one gateway; what it says about a subject is in order by `local`.
package struct FleetHead: Hashable, Sendable {
    package let writer: String
    package let local: Int64
    /// The place in the shared log; nil until it is published.
    package var number: Int64?
    /// The last number of the shared log that was in force at the writer when the call began: it knew of everything up to here.
    package var base: Int64
    package let state: UserState

    package init(writer: String, local: Int64, number: Int64?, base: Int64, state: UserState) {
        self.writer = writer
        self.local = local
        self.number = number
        self.base = base
        self.state = state
    }

    /// Whether this was begun when the other had been in force at its writer, so that it is the newer word at the service, too. Where
    /// neither is so of the other, they overlapped or were made while their gateways didn't hear of each other.
    package func supersedes(_ other: FleetHead) -> Bool {
        if let number = other.number, number <= base { return true }
        return writer == other.writer && local > other.local
    }

    fileprivate func isSame(as other: FleetHead) -> Bool { writer == other.writer && local == other.local }
}

/// Everything that is the last word about one subject and source: one head, or several where calls overlapped.
///
/// The same heads result from the same words in whatever order they come, so that all gateways end with the same list. At most one for
/// each writer.
package struct FleetHeads: Hashable, Sendable {
    package private(set) var all: [FleetHead]

    package init(_ heads: [FleetHead] = []) { all = heads }

    /// Suspended wins, until a later word settles it.
    package var state: UserState { all.contains { $0.state == .suspended } ? .suspended : .active }

    /// Whether the words differ: nobody knows which one came last at the service.
    package var areContested: Bool { all.contains { $0.state == .suspended } && all.contains { $0.state == .active } }

    /// Takes this gateway's own new word. What it said before, in this run or an earlier one, and has not yet published, nobody needs to
    /// hear. Others' words that have no number are those that the log has lost: they stay.
    ///
    /// What an own word before it knew of, this one knows of too, though its call may have begun earlier: an operator's lift doesn't wait for
    /// a call that is on its way. Others never hear of a word that is replaced before it is published.
    package mutating func say(_ word: FleetHead, own: (String) -> Bool) {
        var word = word
        for head in all where own(head.writer) { word.base = max(word.base, head.base) }
        all.removeAll { $0.number == nil && own($0.writer) }
        hear(word)
    }

    /// Takes a word of the shared log. One that is known by another number has got that one since.
    package mutating func hear(_ word: FleetHead) {
        all.removeAll { $0.isSame(as: word) }
        all.append(word)
        let candidates = all
        all.removeAll { head in candidates.contains { $0.supersedes(head) } }
    }
}
