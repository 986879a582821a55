import Suspensions

extension MetricsPage {
    /// How this gateway stands with the others; families without samples where there is no fleet.
    func addFleet(_ page: inout PrometheusText) {
        page.family("tenantgate_fleet_link", .gauge, "1 for the state that the connection to the fleet's database is in.") { family in
            guard let fleet else { return }
            for state in FleetStatus.Link.allCases { family.sample([("state", state.rawValue)], fleet.link == state ? 1 : 0) }
        }
        page.single(
            "tenantgate_fleet_behind_seconds", .gauge, "Since everything was in force here that the other gateways had published.",
            fleet?.behindSeconds)
        page.single(
            "tenantgate_fleet_unpublished", .gauge, "Changes of this gateway that the others have not been told.",
            fleet.map { Double($0.unsent) })
        page.single(
            "tenantgate_fleet_applied_number", .gauge, "The last number of the shared log that is in force here.",
            fleet.map { Double($0.applied) })
        page.single(
            "tenantgate_fleet_published_total", .counter, "Changes that were published.", fleet.map { Double($0.published) })
        page.single(
            "tenantgate_fleet_heard_total", .counter, "Changes of other gateways that changed something here.",
            fleet.map { Double($0.heard) })
        page.single(
            "tenantgate_fleet_contested_users", .gauge,
            "Users whose calls at two gateways overlapped: suspended until that is settled.", fleet.map { Double($0.contested) })
        page.single(
            "tenantgate_fleet_listening", .gauge, "1 if the others' changes are notified, 0 if they are only polled for.",
            fleet.map { $0.hears ? 1 : 0 })
        page.single(
            "tenantgate_fleet_refusing", .gauge, "1 while requests are refused because nothing is heard of the fleet.",
            fleet.map { $0.isRefusing ? 1 : 0 })
        page.family(
            "tenantgate_fleet_propagation_seconds", .histogram,
            "From a change at another gateway until it is in force here, by both machines' clocks."
        ) { family in
            guard let times = fleet?.propagation else { return }
            family.histogram(
                [], bounds: FleetTimes.bounds.map { Double($0) / 1000 }, buckets: times.buckets, sum: Double(times.sum) / 1000)
        }
    }
}
