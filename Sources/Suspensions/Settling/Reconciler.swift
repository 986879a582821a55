import Dispatch
package import Policy
import Synchronization

/// Compares who is blocked here with what the service says of its users, and puts right what has drifted (SPEC §4).
///
/// From the service's list where its dialect has one; else by reading everybody who is blocked. What makes it safe:
/// - Nothing is changed before everything has been looked at: a half list changes nothing. Absence from it teaches nothing.
/// - A run that would change more than `Limits.reconcileChanges` users and more than one in `Limits.reconcileShare` stops and asks. The
///   first filling of a directory may block any number.
/// - Nobody is lifted on a list's word alone, which may come from a copy that lags behind: whoever would be is read by himself first, and
///   nobody within `Limits.quietSeconds` after a call. So is to whom something has happened since the page was asked for that shows him.
/// - Only the upstream's blocks are touched, never an operator's. Users with an unconfirmed call are lifted by its settling alone.
///
/// Memory: 9 to 20 bytes for each user of the directory, and what has drifted. Blocks the calling thread, which is not an event loop's.
package final class Reconciler: Sendable {
    private let authority: SuspensionAuthority
    private let source: any UserSource

    package init(_ authority: SuspensionAuthority, source: any UserSource) {
        self.authority = authority
        self.source = source
    }

    /// One run. `apply` says yes to any number of changes.
    package func run(_ directory: DirectoryIndex, apply: Bool) -> ReconcileReport {
        let (start, wall) = (authority.surroundings.steady(), authority.surroundings.wall())
        var report = ReconcileReport(directory: directory, startedAt: wall)
        report.isFirst = authority.isUnfilled(directory)
        authority.look(true)
        defer { authority.look(false) }
        do throws(ReadFailure) {
            let findings = try look(at: directory, &report)
            try put(findings, apply: apply, &report)
        } catch {
            report.ending = .stopped(error.description)
        }
        report.duration = .nanoseconds(authority.surroundings.steady() - start)
        return report
    }

    // MARK: looking

    private func look(at directory: DirectoryIndex, _ report: inout ReconcileReport) throws(ReadFailure) -> [Finding] {
        let lists = source.lists(of: directory)
        guard !lists.isEmpty else { return try lookAtBlocked(of: directory, &report) }
        var findings: [Finding] = []
        for list in lists { findings += try walk(list, &report) }
        return findings
    }

    private func walk(_ list: UserList, _ report: inout ReconcileReport) throws(ReadFailure) -> [Finding] {
        let index = authority.index
        var walk = ListWalk(list) { index.stands(.upstream, for: $0) }
        var hasMore = true
        while hasMore {
            try goOn()
            let mark = authority.mark
            let number = walk.pages + 1
            let page = awaited { done in source.page(number, of: list, then: done) }
            switch page {
            case .failure(let failure): throw ReadFailure("page \(number): \(failure)")
            case .success(let page): hasMore = try walk.take(page, mark)
            }
        }
        report.pages += walk.pages
        report.users += walk.users
        report.silent += walk.silent
        let doubtful = walk.doubtful
        report.readAgain += doubtful.count
        return walk.findings.filter { !doubtful.contains($0.subject) } + (try read(Array(doubtful), &report))
    }

    private func lookAtBlocked(of directory: DirectoryIndex, _ report: inout ReconcileReport) throws(ReadFailure) -> [Finding] {
        let blocked = awaited { done in authority.blocked(in: directory, limit: Limits.reconciledUsers, then: done) }
        guard let blocked else { throw ReadFailure("the ledger can't be read, or has more than \(Limits.reconciledUsers) blocks") }
        report.users += blocked.count
        return try read(blocked, &report)
    }

    /// Findings that would lift somebody are made anew, so that nobody is lifted by what was true some pages ago, or on a copy that lags.
    private func verified(_ findings: [Finding], _ report: inout ReconcileReport) throws(ReadFailure) -> [Finding] {
        let lifted = findings.filter { $0.state == .active }
        return findings.filter { $0.state == .suspended } + (try read(lifted.map(\.subject), &report))
    }

    /// Reads users one by one, some at a time; what differs from what is known here.
    private func read(_ subjects: [Subject], _ report: inout ReconcileReport) throws(ReadFailure) -> [Finding] {
        var findings: [Finding] = []
        for start in stride(from: 0, to: subjects.count, by: Limits.readsAtOnce) {
            try goOn()
            let group = subjects[start..<min(start + Limits.readsAtOnce, subjects.count)]
            let mark = authority.mark
            for (subject, outcome) in readTogether(Array(group)) {
                switch outcome {
                case .state(let state):
                    guard authority.index.stands(.upstream, for: subject) != (state == .suspended) else { continue }
                    findings.append(Finding(subject: subject, state: state, mark: mark))
                case .absent, .useless, .impossible: report.silent += 1
                case .sick(let reason): throw ReadFailure("a user can't be read: \(reason)")
                }
            }
        }
        return findings
    }

    /// Nobody is asked about whom nothing could be written.
    private func goOn() throws(ReadFailure) { if !authority.takesFindings { throw Self.refused } }

    private static let refused = ReadFailure(
        "the ledger takes nothing now: another process has it, its disk fails, or too much waits for it")

    private func readTogether(_ subjects: [Subject]) -> [(Subject, ReadOutcome)] {
        let answers = Mutex<[(Subject, ReadOutcome)]>([])
        let group = DispatchGroup()
        for subject in subjects {
            group.enter()
            source.read(subject) { outcome in
                answers.withLock { $0.append((subject, outcome)) }
                group.leave()
            }
        }
        group.wait()
        return answers.withLock { $0 }
    }

    // MARK: putting right

    private func put(_ findings: [Finding], apply: Bool, _ report: inout ReconcileReport) throws(ReadFailure) {
        let toBlock = findings.count { $0.state == .suspended }
        let toLift = findings.count - toBlock
        let counted = report.isFirst ? toLift : findings.count
        guard apply || counted <= Limits.reconcileChanges || counted * Limits.reconcileShare <= report.users else {
            report.ending = .asks(toBlock: toBlock, toLift: toLift)
            return
        }
        let directory = report.directory
        if report.isFirst { try noteFilling(directory, isDone: false) }
        var rest = report.pages > 0 ? try verified(findings, &report) : findings
        for _ in 0..<Self.rounds where !rest.isEmpty {
            let overtaken = try putOnce(rest, &report)
            report.readAgain += overtaken.count
            rest = try read(overtaken, &report)
        }
        report.left += rest.count
        if authority.fillings(directory) != true { try noteFilling(directory, isDone: true) }
    }

    /// How often a user is read again to whom something happens again and again.
    private static let rounds = 4

    /// Returns who is to be looked at again.
    private func putOnce(_ findings: [Finding], _ report: inout ReconcileReport) throws(ReadFailure) -> [Subject] {
        var overtaken: [Subject] = []
        for start in stride(from: 0, to: findings.count, by: Limits.reconcileBatch) {
            let part = Array(findings[start..<min(start + Limits.reconcileBatch, findings.count)])
            let batch = awaited { done in authority.apply(part, then: done) }
            report.blocked += batch.blocked
            report.lifted += batch.lifted
            report.left += batch.failed + batch.waiting
            overtaken += batch.overtaken
            // Whoever is left is not looked at again: the service isn't asked about as many as there are because the disk is full.
            guard batch.refused == 0 else { throw Self.refused }
        }
        return overtaken
    }

    private func noteFilling(_ directory: DirectoryIndex, isDone: Bool) throws(ReadFailure) {
        let isWritten = awaited { done in authority.noteFilling(directory, isDone: isDone, then: done) }
        guard isWritten else { throw ReadFailure("the ledger can't be written") }
    }
}
