package import Policy

/// What a reconcile run of one directory came to.
package struct ReconcileReport: Sendable, Equatable {
    package enum Ending: Sendable, Equatable {
        /// Everything that had drifted is put right.
        case done
        /// It would change so many users that somebody is to say yes first: `tenantgate suspensions reconcile --apply`.
        case asks(toBlock: Int, toLift: Int)
        /// What was read is not the whole, or contradicts itself: nothing is changed. Or the ledger takes no more: what was put right before
        /// is.
        case stopped(String)
    }

    package let directory: DirectoryIndex
    /// Milliseconds since 1970.
    package let startedAt: Int64
    /// How long it took.
    package var duration: Duration = .zero
    package var ending: Ending = .done
    /// The first filling of an empty directory.
    package var isFirst = false
    /// Users that were seen, and pages of lists that showed them; 0 pages where users were read one by one.
    package var users = 0
    package var pages = 0
    /// Entries, or users, that said nothing.
    package var silent = 0
    /// Users that are blocked now, or no longer.
    package var blocked = 0
    package var lifted = 0
    /// Users to whom something happened meanwhile, so that they were read again.
    package var readAgain = 0
    /// Users that are left to the next run: something happened to them again and again, they are not lifted so soon after a call, or the
    /// ledger can't be written.
    package var left = 0

    package init(directory: DirectoryIndex, startedAt: Int64) {
        self.directory = directory
        self.startedAt = startedAt
    }
}

extension ReconcileReport {
    /// One line for people.
    package var words: String {
        let seen = pages > 0 ? "\(users) users on \(pages) pages" : "\(users) users read"
        switch ending {
        case .done:
            let rest = (left > 0 ? ", \(left) left to the next run" : "") + (silent > 0 ? ", \(silent) said nothing" : "")
            return "\(seen): \(blocked) blocked, \(lifted) lifted\(rest)"
        case .asks(let toBlock, let toLift):
            return "\(seen): it would block \(toBlock) and lift \(toLift), more than \(Limits.reconcileChanges) and more than one in "
                + "\(Limits.reconcileShare); nothing is changed until somebody says so (`suspensions reconcile --apply`)"
        case .stopped(let reason):
            let done = blocked + lifted == 0 ? "nothing is changed" : "\(blocked) blocked, \(lifted) lifted before"
            return "stopped, \(done): \(reason)"
        }
    }
}
