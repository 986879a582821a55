import Policy
import Suspensions

// Users that the gateway reads by itself: to settle what is unknown, and in reconcile runs.
extension MetricsPage {
    func addReads(_ page: inout PrometheusText) {
        if let status = suspensions?.status { addSettling(status, &page) }
        if let tally = suspensions?.aliases { addAliases(tally, &page) }
        page.family("tenantgate_reconcile_runs_total", .counter, "Runs by how they ended: done, asks (too many changes), stopped.") {
            for figures in reconciling {
                for (ending, count) in figures.runs.sorted(by: { $0.key < $1.key }) {
                    $0.sample([("directory", figures.directory), ("ending", ending)], count)
                }
            }
        }
        page.family("tenantgate_reconcile_changes_total", .counter, "Users whom reconcile runs have blocked or lifted.") {
            for figures in reconciling {
                $0.sample([("directory", figures.directory), ("change", "blocked")], figures.blocked)
                $0.sample([("directory", figures.directory), ("change", "lifted")], figures.lifted)
            }
        }
        addLast(&page)
    }

    private func addSettling(_ status: AuthorityStatus, _ page: inout PrometheusText) {
        page.single(
            "tenantgate_users_to_read", .gauge, "Users that are to be read at their service because something about them is unknown.",
            Double(status.usersToRead))
        page.family("tenantgate_user_reads_total", .counter, "Reads of users that settle what is unknown, by what they came to.") {
            for ending in CallTally.ReadEnding.allCases { $0.sample([("result", ending.rawValue)], status.tally.reads[ending] ?? 0) }
        }
        page.family("tenantgate_settled_users_total", .counter, "Users whose unconfirmed call a read has settled, by what it showed.") {
            for (state, label) in [(UserState.suspended, "suspended"), (.active, "active")] {
                $0.sample([("state", label)], status.tally.settled[state] ?? 0)
            }
        }
    }

    private func addAliases(_ tally: AliasTally, _ page: inout PrometheusText) {
        page.single("tenantgate_aliases", .gauge, "Verified aliases of users that are known.", Double(tally.known))
        page.single(
            "tenantgate_aliases_contested", .gauge, "Aliases that two users have at once: tokens with them are refused.",
            Double(tally.contested))
        page.family("tenantgate_alias_searches_total", .counter, "Services asked whose an alias is, by what that came to.") {
            $0.sample([("result", "found")], tally.found)
            $0.sample([("result", "nobody")], tally.nobody)
            $0.sample([("result", "failed")], tally.failed)
        }
        page.family(
            "tenantgate_alias_reads_total", .counter, "Users read anew because nothing was read of their alias for a while."
        ) {
            $0.sample([("result", "read")], tally.read)
            $0.sample([("result", "failed")], tally.unread)
        }
        page.single(
            "tenantgate_alias_evictions_total", .counter, "Aliases that were forgotten because there are too many.", Double(tally.evicted))
        page.single(
            "tenantgate_alias_readings_dropped_total", .counter, "Readings of aliases that came faster than they could be taken.",
            Double(tally.dropped))
    }

    private func addLast(_ page: inout PrometheusText) {
        let last = reconciling.compactMap { figures in figures.last.map { (figures.directory, $0) } }
        page.family("tenantgate_reconcile_last_run_timestamp_seconds", .gauge, "When the last reconcile run began, in seconds since 1970.")
        {
            for (directory, report) in last { $0.sample([("directory", directory)], Double(report.startedAt) / 1000) }
        }
        page.family("tenantgate_reconcile_duration_seconds", .gauge, "How long the last reconcile run took.") {
            for (directory, report) in last { $0.sample([("directory", directory)], report.duration / .seconds(1)) }
        }
        page.family("tenantgate_reconcile_users", .gauge, "Users that the last reconcile run has seen.") {
            for (directory, report) in last { $0.sample([("directory", directory)], report.users) }
        }
        page.family(
            "tenantgate_reconcile_pending_changes", .gauge,
            "Users that the last reconcile run would have changed, had they not been too many: it waits for somebody to say so."
        ) {
            for (directory, report) in last { $0.sample([("directory", directory)], report.pending) }
        }
        page.family("tenantgate_reconcile_stopped", .gauge, "1 if the last run changed nothing because it could not see everything.") {
            for (directory, report) in last { $0.sample([("directory", directory)], report.isStopped ? 1 : 0) }
        }
    }
}

extension ReconcileReport {
    fileprivate var pending: Int { if case .asks(let toBlock, let toLift) = ending { toBlock + toLift } else { 0 } }
    fileprivate var isStopped: Bool { if case .stopped = ending { true } else { false } }
}
