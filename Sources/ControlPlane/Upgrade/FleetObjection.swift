import Policy

/// Why a member of a fleet is never upgraded in place.
///
/// Two processes would be one member for minutes: one name and one lease in the shared log, that the new one renews and the old one, which
/// follows, would have to be asked about; an order of words that two runs number. A restart needs none of that, since the others serve
/// meanwhile, whom the balancer knows.
enum FleetObjection {
    static let text =
        "with `fleet` there is no upgrade in place, since two processes would be one member for a while: restart the members one after "
        + "the other behind the balancer; the others go on meanwhile."
}

extension CheckReport {
    /// How a gateway with this file is brought up to date, where not in place.
    package static func upgrades(of configuration: Configuration) -> String {
        configuration.fleet == nil ? "" : "\n\(FleetObjection.text)\n"
    }
}
