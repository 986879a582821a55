extension MetricsPage {
    /// How upgrades in place went, and whether the process before is still there.
    func addUpgrades(_ page: inout PrometheusText) {
        guard let upgrades else { return }
        page.family(
            "tenantgate_upgrades_total", .counter,
            "Upgrades in place as the process tells them that goes on: taken_over by this one from another; refused or came_to_nothing to another."
        ) { family in
            for result in UpgradeFigures.Result.allCases { family.sample([("result", result.rawValue)], upgrades.results[result] ?? 0) }
        }
        page.single(
            "tenantgate_upgrade_duration_seconds", .gauge, "How long this process took from asking the one before to serving.",
            upgrades.seconds)
        page.single(
            "tenantgate_follower", .gauge, "1 while the process before still answers on its last connections.",
            upgrades.follower == nil ? 0 : 1)
        page.single(
            "tenantgate_follower_changes_unapplied", .gauge, "Changes that it has been told and has not said to be in force.",
            Double(upgrades.follower?.unapplied ?? 0))
        page.family(
            "tenantgate_follower_waits_total", .counter,
            "Answers that waited for it: until it had the change in force (applied), or admitted nobody any more (lease_over)."
        ) {
            $0.sample([("ending", "applied")], upgrades.waitsApplied)
            $0.sample([("ending", "lease_over")], upgrades.waitsLeaseOver)
        }
    }
}
