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
/// A word of the log is forgotten only for a word of the log. So what is kept of the log is the same at all gateways that have heard it
/// up to the same place, whatever each of them has said meanwhile and not yet published, and all end with the same list. A word that only
/// one's own newer word has overtaken rests until that one is published.
package struct FleetHeads: Hashable, Sendable {
    package private(set) var all: [FleetHead]

    package init(_ heads: [FleetHead] = []) { all = heads }

    /// The last words: those that don't rest.
    package var last: [FleetHead] { all.filter { !isOvertaken($0) } }

    /// Suspended wins, until a later word settles it.
    package var state: UserState { last.contains { $0.state == .suspended } ? .suspended : .active }

    /// Whether the words differ: nobody knows which one came last at the service.
    package var areContested: Bool { Set(last.map(\.state)).count > 1 }

    /// Takes this gateway's own new word. What it said before, in this run or an earlier one, and has not yet published, nobody needs to
    /// hear. Others' words that have no number are those that the log has lost: they stay.
    ///
    /// What an own word before it knew of, this one knows of too, though its call may have begun earlier: an operator's lift doesn't wait for
    /// a call that is on its way. Others never hear of a word that is replaced before it is published.
    package mutating func say(_ word: FleetHead, own: (String) -> Bool) {
        var word = word
        for head in all where own(head.writer) { word.base = max(word.base, head.base) }
        let unknown = all.filter { $0.number ?? 0 > word.base }
        let replaced = all.filter { $0.number == nil && own($0.writer) }
        // Words of an earlier run that one of that run, never published, came after.
        if unknown.allSatisfy({ head in replaced.contains { $0.supersedes(head) } }) {
            word.base = unknown.compactMap(\.number).reduce(word.base, max)
        }
        all.removeAll { replaced.contains($0) }
        hear(word)
    }

    /// Takes a word of the shared log. One that is known by another number has got that one since.
    package mutating func hear(_ word: FleetHead) {
        all.removeAll { $0.isSame(as: word) }
        all.append(word)
        let candidates = all
        all.removeAll { head in candidates.contains { $0.supersedes(head) && ($0.number != nil || head.number == nil) } }
    }

    private func isOvertaken(_ head: FleetHead) -> Bool { all.contains { $0.supersedes(head) } }
}
