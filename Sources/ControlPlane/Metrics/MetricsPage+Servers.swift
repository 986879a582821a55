import Proxy

// How upstreams and their servers stand, as far as all loops know it together.
extension MetricsPage {
    func addServers(_ page: inout PrometheusText) {
        let servers = upstreams.flatMap(\.servers)
        page.family("tenantgate_upstream_server_up", .gauge, "1 if a server gets requests, 0 if it is left out.") { family in
            for server in servers { family.sample(server.labels, server.isServing ? 1 : 0) }
        }
        page.family("tenantgate_upstream_ejections_total", .counter, "How often a server was left out for its failures.") { family in
            for server in servers { family.sample(server.labels, server.ejections) }
        }
        page.family("tenantgate_upstream_health_checks_total", .counter, "Health checks of a server by their result.") { family in
            for server in servers where server.isChecked {
                family.sample(server.labels + [("result", "good")], server.checksPassed)
                family.sample(server.labels + [("result", "bad")], server.checksFailed)
            }
        }
        page.family("tenantgate_upstream_retries_total", .counter, "Requests that were sent a second time.") { family in
            for upstream in upstreams { family.sample([("upstream", upstream.upstream)], upstream.retries) }
        }
        page.family(
            "tenantgate_upstream_circuit_open", .gauge, "1 if requests are refused because others waited in vain, else 0."
        ) { family in
            for upstream in upstreams { family.sample([("upstream", upstream.upstream)], upstream.isCircuitOpen ? 1 : 0) }
        }
        page.family("tenantgate_upstream_tls_handshakes_total", .counter, "TLS handshakes with servers that were completed.") { family in
            for upstream in upstreams where upstream.isTLS {
                family.sample([("upstream", upstream.upstream), ("resumed", "false")], upstream.handshakes)
                family.sample([("upstream", upstream.upstream), ("resumed", "true")], upstream.resumptions)
            }
        }
        page.family("tenantgate_upstream_tls_failures_total", .counter, "Failures of TLS with servers, by cause.") { family in
            for upstream in upstreams where upstream.isTLS {
                for cause in UpstreamTLSFailure.allCases {
                    family.sample([("upstream", upstream.upstream), ("cause", cause.rawValue)], upstream.tlsFailures[cause] ?? 0)
                }
            }
        }
    }
}

extension ServerFigures {
    fileprivate var labels: [(String, String)] { [("upstream", upstream), ("server", server)] }
}
