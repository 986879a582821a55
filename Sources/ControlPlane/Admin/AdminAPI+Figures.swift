import Glibc
import Policy
import Proxy
import StrictJSON
import Suspensions
import Tokens

/// Upstreams, keys and counts.
extension AdminAPI {
    func upstreams(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        let boards = sources.gateway.boardFigures
        figures { figures in
            var json = JSONWriter()
            json.beginObject()
            json.name("upstreams")
            json.beginArray()
            for board in boards { json.write(board, figures.upstreams[board.upstream]) }
            json.endArray()
            json.endObject()
            reply(AdminAnswer(json))
        }
    }

    func keys(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        let configuration = sources.shown().configuration
        let (statuses, table, now) = (sources.keys.statuses, sources.keys.table, KeyService.now())
        var json = JSONWriter()
        json.beginObject()
        json.name("issuers")
        json.beginArray()
        // Thousands of tenants' issuers are no page for people: the first ones, and how many there are.
        for block in configuration.credentials.prefix(Limits.adminPage) {
            json.beginObject()
            if let issuer = block.issuer { json.member("issuer", issuer) }
            json.member("directory", configuration.directories[block.directory].name)
            json.name("algorithms")
            json.write(block.algorithms.all.map { "\($0.name)" })
            var keys = block.keys
            if let origin = block.origin {
                let status = statuses.first { $0.origin == origin }
                keys = table[origin]?.keys ?? []
                json.member("origin", origin.shown)
                json.member("available", status?.isAvailable ?? false)
                if let age = status?.age(now: now) { json.member("age_seconds", age / 1000) }
                if let error = status?.error { json.member("error", "\(error)") }
                if let time = status?.lastErrorUnix { json.member("last_error", timestamp(time * 1000)) }
            } else {
                json.member("available", true)
            }
            json.name("keys")
            json.beginArray()
            for key in keys { json.write(key) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.member("issuer_count", configuration.credentials.count)
        json.endObject()
        reply(AdminAnswer(json))
    }

    func metrics(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        figures { figures in
            var now = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &now)
            var json = JSONWriter()
            json.beginObject()
            json.member("time_ms", Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
            json.name("requests")
            json.write(figures.requests)
            json.name("observed")
            json.write(figures.observed)
            json.name("bounds_us")
            json.beginArray()
            for bound in DurationBuckets.bounds { json.integer(bound / 1000) }
            json.endArray()
            json.name("durations")
            json.beginArray()
            for (route, histogram) in figures.durations.sorted(by: { $0.key < $1.key }) {
                json.beginObject()
                json.member("route", route)
                json.member("sum_us", histogram.sum / 1000)
                json.name("buckets")
                json.beginArray()
                for count in histogram.buckets { json.integer(count) }
                json.endArray()
                json.endObject()
            }
            json.endArray()
            json.name("tenants")
            json.beginArray()
            for (tenant, counts) in figures.tenants.sorted(by: { $0.key < $1.key }) {
                for (code, count) in counts {
                    json.beginObject()
                    json.member("tenant", tenant)
                    json.member("code", code.text)
                    json.member("count", count)
                    json.endObject()
                }
            }
            json.endArray()
            json.endObject()
            reply(AdminAnswer(json))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ requests: [GatewayFigures.RequestLabels: Int]) {
        beginArray()
        for (labels, count) in requests {
            beginObject()
            member("route", labels.route)
            member("stage", labels.code.stage.rawValue)
            member("code", labels.code.text)
            member("status", labels.status)
            member("count", count)
            endObject()
        }
        endArray()
    }

    fileprivate mutating func write(_ key: VerificationKey) {
        beginObject()
        if let kid = key.kid { member("kid", KeyStatus.readable(kid)) }
        member("type", key.type.description)
        name("algorithms")
        write(key.algorithms.all.map { "\($0.name)" })
        endObject()
    }

    fileprivate mutating func write(_ board: BoardFigures, _ figures: GatewayFigures.UpstreamFigures?) {
        beginObject()
        member("name", board.upstream)
        member("circuit_open", board.isCircuitOpen)
        member("tls", board.isTLS)
        member("retries", board.retries)
        member("busy", figures?.pool.busy ?? 0)
        member("idle", figures?.pool.idle ?? 0)
        member("waiting", figures?.pool.waiting ?? 0)
        member("connect_failures", figures?.connectFailures ?? 0)
        name("servers")
        beginArray()
        for server in board.servers {
            beginObject()
            member("server", server.server)
            member("serving", server.isServing)
            member("ejections", server.ejections)
            member("checked", server.isChecked)
            member("checks_passed", server.checksPassed)
            member("checks_failed", server.checksFailed)
            endObject()
        }
        endArray()
        endObject()
    }
}
