import Policy

/// Blocking by a list while the gateway runs.
extension LiveDesk {
    /// An import whose every line is good.
    package struct CheckedImport: Sendable {
        let outcomes: [Outcome]
        /// Lines that it had.
        package var count: Int { outcomes.count }
    }

    /// How far an import got.
    package enum ImportConclusion: Sendable, Equatable {
        case done(count: Int)
        /// The lines of so many are in the ledger, the next ones are blocked in memory alone; `conclusion` says why.
        case stopped(durable: Int, inForce: Int, HandConclusion)
    }

    /// Reads JSON Lines (SPEC §6); throws every bad line. Takes as long as reading all of it: not for an event loop of requests.
    package func check(_ text: [UInt8], by actor: Actor) throws(ImportRefused) -> CheckedImport {
        var outcomes: [Outcome] = []
        var problems = ImportProblems()
        var number = 0
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            number += 1
            do throws(LineProblem) {
                guard number <= Limits.adminImportLines else {
                    throw LineProblem(text: "an import has at most \(Limits.adminImportLines) lines: send the rest in another one")
                }
                let line = try ImportedLine(text.span.extracting(start..<end)) { user throws(LineProblem) in
                    do throws(OperatorError) { return try subject(user) } catch { throw LineProblem(text: "\(error)") }
                }
                var outcome = outcome(line.subject, .suspended, .operator, .imported, line.reason, actor)
                outcome.since = line.since
                outcomes.append(outcome)
            } catch {
                problems.note(line: number, error.text)
                if number > Limits.adminImportLines { break }
            }
            start = end + 1
        }
        if let refused = problems.refused { throw refused }
        return CheckedImport(outcomes: outcomes)
    }

    /// Blocks everybody of the list, a transaction's worth after the other, so that calls of others get their turn in between.
    package func run(_ list: CheckedImport, then answer: @escaping @Sendable (ImportConclusion) -> Void) {
        runOn(list.outcomes[...], done: 0, answer)
    }

    private func runOn(_ rest: ArraySlice<Outcome>, done: Int, _ answer: @escaping @Sendable (ImportConclusion) -> Void) {
        guard !rest.isEmpty else { return answer(.done(count: done)) }
        let group = rest.prefix(Limits.ledgerGroup)
        authority.byHand(Array(group)) { [self] conclusion in
            guard conclusion == .done else {
                let inForce = conclusion == .notDurable(inForce: true) ? group.count : 0
                return answer(.stopped(durable: done, inForce: inForce, conclusion))
            }
            runOn(rest.dropFirst(group.count), done: done + group.count, answer)
        }
    }
}
