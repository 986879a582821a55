import Policy

/// What other gateways have said of users, and what becomes of calls that overlapped with theirs.
///
/// A *contested* user is one of whom two gateways' words differ though neither knew of the other: suspended, and shown as unconfirmed. The
/// user is read like one whose call was lost, and what the service says when nothing can come late any more is the last word: it was asked
/// for after both had been heard. Without a service credential a later call is, or an operator.
extension CallMachine {
    /// Words of other gateways are in force. `isLosing`: subjects of whom a lost call is on its way to the ledger, which didn't know of it.
    mutating func heard(_ effects: [FleetEffect], isLosing: Set<Subject>, _ now: Moment) {
        for effect in effects where effect.source == .upstream {
            let subject = effect.subject
            // Answers that were asked for before teach nothing.
            touches.note(subject)
            quiet.begin(subject, at: now.steady)
            if effect.isContested {
                contest(subject, now)
            } else if let call = lost[subject] {
                let isBehind = isLosing.contains(subject) || debts.owesLoss(of: subject)
                let here = FleetEffect.OpenCall(wanted: call.wanted, isBlocking: call.isBlocking)
                goOn(isBehind ? here : effect.open, effect.state, subject, now)
            }
        }
    }

    /// An unconfirmed call is what the ledger says it is. Where it stays so, nobody knows whether it came before or after the word that was
    /// heard: as with calls that overlapped, only what the service says when neither can come late any more is the last word.
    private mutating func goOn(_ open: FleetEffect.OpenCall?, _ state: UserState, _ subject: Subject, _ now: Moment) {
        lost[subject] = open.map { LostCall(wanted: $0.wanted, isBlocking: $0.isBlocking && state == .active, hasOthers: true) }
        guard open != nil else { return readOnAfterwards(subject, now) }
        guard let late, subject.directory < late.count else { return }
        book.enter(subject, lateUntil: now.steady + late[subject.directory], due: now.steady)
    }

    /// Has a contested user read. What the service says then may lift the block.
    mutating func contest(_ subject: Subject, _ now: Moment) {
        guard lost[subject] != nil || lost.count < Limits.fleetContestedUsers else {
            hasContestsLeftOut = true
            return
        }
        lost[subject] = LostCall(wanted: .active, isBlocking: lost[subject]?.isBlocking ?? false, hasOthers: true)
        guard let late, subject.directory < late.count else { return }
        book.enter(subject, lateUntil: now.steady + late[subject.directory], due: now.steady)
    }

    /// Whether a call for the subject is on its way, or the ledger is owed something of it.
    func isBusy(_ subject: Subject) -> Bool { queue.isBusy(subject) || debts.owes(subject) }

    /// Whether contested users whom memory had no room for may be taken up now.
    var hasRoomForContests: Bool { hasContestsLeftOut && lost.count <= Limits.fleetContestedUsers / 2 }
}
