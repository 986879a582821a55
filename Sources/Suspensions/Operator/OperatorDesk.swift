package import Policy

/// What an operator does by hand with the ledger of a stopped gateway (SPEC §7, `tenantgate suspensions … --ledger`).
///
/// Every change is one durable transaction and enters the log under the operator's name.
package struct OperatorDesk: Sendable {
    let ledger: SQLiteLedger
    private let name: [UInt8]
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - ledger: opened with the configuration's directories, or with none: then those count that the ledger knows.
    ///   - name: who it is, for the log.
    ///   - now: milliseconds since 1970.
    package init(ledger: SQLiteLedger, operator name: String, now: @escaping @Sendable () -> Int64) {
        self.ledger = ledger
        self.name = Array(name.utf8)
        self.now = now
    }

    /// Blocks a user by hand. Settles what an unconfirmed call left open. False if the operator's block stood already.
    @discardableResult
    package func add(_ user: NamedUser, reason: String) throws -> Bool {
        let subject = try ledger.subject(user)
        let stood = try ledger.standing(subject).sources.contains(.operator)
        try ledger.commit([record(subject, .suspended, .operator, reason: try checked(reason))])
        return !stood
    }

    /// Lifts a user's block of one source, or of every source that stands, with a reason; settles what an unconfirmed call left open.
    /// Returns what was lifted.
    @discardableResult
    package func lift(_ user: NamedUser, source: BlockSource? = nil, reason: String) throws -> BlockSources {
        let subject = try ledger.subject(user)
        let standing = try ledger.standing(subject)
        let lifted = source.map { standing.sources.intersection(BlockSources($0)) } ?? standing.sources
        var changes = BlockSource.allCases.filter { lifted.contains(BlockSources($0)) }
            .map { record(subject, .active, $0, reason: reason) }
        if changes.isEmpty, standing.isUnconfirmed { changes = [record(subject, .active, .upstream, reason: reason)] }
        guard !changes.isEmpty else { throw OperatorError.notBlocked(user) }
        _ = try checked(reason)
        try ledger.commit(changes)
        return lifted
    }

    /// Calls whose outcome is unknown: to be shown on top of every listing.
    package func unconfirmed() throws(LedgerError) -> [StandingCall] {
        try ledger.unconfirmedCalls().map { StandingCall(user: ledger.named($0.subject), call: $0) }
    }

    /// Blocks by hand everybody whom the lines name (SPEC §6, JSON Lines), all of them or, if a line is bad, nobody. Returns how many
    /// lines there were.
    ///
    /// - Parameter open: starts reading from the first line and returns what gives one line after the other, without its newline, and
    ///   nil at the end. Called twice: to check all, then to write.
    @discardableResult
    package func importLines(_ open: () throws -> (() throws -> [UInt8]?)) throws -> Int {
        let count = try check(open())
        let next = try open()
        try ledger.withImportCache {
            try ledger.commit { () throws -> LedgerChange? in
                guard let line = try next() else { return nil }
                let imported = try read(line.span)
                var outcome = outcome(imported.subject, .suspended, .operator, .imported, reason: imported.reason)
                outcome.since = imported.since
                return .record(outcome)
            }
        }
        return count
    }

    private func check(_ next: () throws -> [UInt8]?) throws -> Int {
        var count = 0
        var problems = ImportProblems()
        while let line = try next() {
            count += 1
            do throws(LineProblem) {
                _ = try read(line.span)
            } catch {
                problems.note(line: count, error.text)
            }
        }
        if let refused = problems.refused { throw refused }
        return count
    }

    private func read(_ line: Span<UInt8>) throws(LineProblem) -> ImportedLine {
        try ImportedLine(line) { user throws(LineProblem) in
            do {
                return try ledger.subject(user)
            } catch {
                throw LineProblem(text: "\(error)")
            }
        }
    }

    // MARK: records

    private func record(_ subject: Subject, _ state: UserState, _ source: BlockSource, reason: String) -> LedgerChange {
        .record(outcome(subject, state, source, .hand, reason: reason))
    }

    private func outcome(_ subject: Subject, _ state: UserState, _ source: BlockSource, _ learned: Learned, reason: String) -> Outcome {
        Outcome(
            intent: nil, subject: subject, source: source, result: .state(state), learned: learned, actor: name, requestID: [],
            reason: reason, at: now())
    }

    private func checked(_ reason: String) throws(OperatorError) -> String { try OperatorError.checked(reason: reason) }
}

/// A user as a person or a file names it.
package struct NamedUser: Sendable, Hashable, CustomStringConvertible {
    package let directory: String
    /// Nil means all tenants.
    package let tenant: [UInt8]?
    package let user: [UInt8]

    package init(directory: String, tenant: [UInt8]?, user: [UInt8]) {
        self.directory = directory
        self.tenant = tenant
        self.user = user
    }

    package var description: String {
        let place = tenant.map { "tenant \(PlainText.shown($0))" } ?? "all tenants"
        return "user \(PlainText.shown(user)) in \(place) of directory \(PlainText.shown(directory, most: 64))"
    }
}

/// A call whose outcome is unknown, with names.
package struct StandingCall: Sendable, Equatable {
    package let user: NamedUser
    package let call: UnconfirmedCall
}

/// Why an operator's wish can't be done.
package enum OperatorError: Error, Equatable, CustomStringConvertible {
    case unknownDirectory(String, known: [String])
    case notAUser(NamedUser, IDFormat)
    case notATenant(NamedUser, IDFormat)
    case notBlocked(NamedUser)
    case reasonMissing
    case reasonTooLong

    /// The reason, if it is one.
    static func checked(reason: String) throws(OperatorError) -> String {
        guard !PlainText.isBlank(reason) else { throw .reasonMissing }
        guard reason.utf8.count <= Limits.ledgerText else { throw .reasonTooLong }
        return reason
    }

    package var description: String {
        switch self {
        case .unknownDirectory(let name, let known):
            "there is no directory \(PlainText.shown(name, most: 64)); "
                + (known.isEmpty ? "name the configuration with --config" : "there are: \(known.joined(separator: ", "))")
        case .notAUser(let user, let format): "the user id of directory \(user.directory) must be a \(format)"
        case .notATenant(let user, let format): "the tenant id of directory \(user.directory) must be a \(format)"
        case .notBlocked(let user): "\(user) is not blocked"
        case .reasonMissing: "a reason is needed: why, for the log"
        case .reasonTooLong: "the reason is longer than \(Limits.ledgerText) bytes"
        }
    }
}
