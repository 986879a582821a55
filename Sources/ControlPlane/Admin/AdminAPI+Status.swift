import Glibc
import Policy
import Proxy
import StrictJSON
import Suspensions
import Tokens

/// How the gateway stands.
extension AdminAPI {
    func status(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        figures { [self] figures in reply(status(request, figures)) }
    }

    private func status(_ request: AdminRequest, _ figures: GatewayFigures) -> AdminAnswer {
        let (readiness, shown) = (sources.standing.readiness, sources.shown())
        var json = JSONWriter()
        json.beginObject()
        json.member("version", Versions.tenantgate)
        json.member("started", timestamp(sources.started))
        json.member("uptime_seconds", max(0, Int64(time(nil)) - sources.started / 1000))
        json.member("ready", readiness.isReady)
        json.name("reasons")
        json.write(readiness.reasons)
        json.name("notices")
        json.write(readiness.notices)
        json.name("token")
        json.beginObject()
        json.member("name", request.token.name)
        json.member("role", request.token.role.rawValue)
        json.endObject()
        json.name("listeners")
        json.write(shown.listeners)
        json.member("loops", sources.gateway.loopCount)
        json.member("client_connections", figures.connectionsOpen)
        writeLedger(shown.configuration, &json)
        if let fleet = sources.fleet?.status { fleet.write(to: &json) }
        if let follower = sources.upgrades().follower {
            json.name("follower")
            json.beginObject()
            json.member("process", Int(follower.process))
            json.member("changes_unapplied", follower.unapplied)
            json.endObject()
        }
        json.endObject()
        return AdminAnswer(json)
    }

    private func writeLedger(_ configuration: Configuration, _ json: inout JSONWriter) {
        let status = sources.suspensions.status
        json.name("ledger")
        json.beginObject()
        json.member("path", configuration.ledger)
        json.member("writable", status.ledgerTrouble == nil)
        if let trouble = status.ledgerTrouble { json.member("trouble", "\(trouble)") }
        json.member("owed_users", status.owedUsers)
        json.member("unconfirmed_users", status.unconfirmedUsers)
        json.member("open_calls", status.openCalls)
        json.member("users_to_read", status.usersToRead)
        json.endObject()
        let users = sources.suspensions.index.usersByDirectory
        let runs = sources.reconciling.figures
        json.name("directories")
        json.beginArray()
        for (index, directory) in configuration.directories.enumerated() {
            json.beginObject()
            json.member("name", directory.name)
            json.member("id_format", directory.dialect.idFormat.rawValue)
            json.member("tenant_format", directory.dialect.tenantFormat.rawValue)
            json.member("reach", directory.dialect.reach.rawValue)
            json.member("suspended_users", index < users.count ? users[index] : 0)
            if let figures = runs.first(where: { $0.directory == directory.name }) {
                json.name("reconcile")
                json.beginObject()
                json.write(figures)
                json.endObject()
            }
            json.endObject()
        }
        json.endArray()
    }

    func routes(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        let configuration = sources.shown().configuration
        let now = Int64(time(nil))
        var json = JSONWriter()
        json.beginObject()
        json.name("routes")
        json.beginArray()
        for (route, reached) in zip(configuration.routes, CheckReport.callsReached(of: configuration)) {
            json.beginObject()
            json.member("index", route.index)
            if !route.host.text.isEmpty { json.member("host", route.host.text) }
            json.member("path", route.pattern.text)
            json.name("methods")
            json.write(route.methods.map { String(decoding: $0, as: UTF8.self) })
            json.member("upstream", configuration.upstreams[route.upstream].name)
            if let directory = route.directory { json.member("directory", configuration.directories[directory].name) }
            json.member("credential", route.credential.rawValue)
            json.member("tenant", CheckReport.tenantText(route))
            json.member("require", CheckReport.requirement(route.requirement))
            json.member("suspended", CheckReport.suspendedText(route))
            json.member("mode", route.observes(at: now) ? "observe" : "enforce")
            if let last = route.lastObservedDay { json.member("observe_until", last) }
            json.name("calls")
            json.write(reached)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        reply(AdminAnswer(json))
    }

    func reload(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        sources.news.tell("\(request.token.name) asked for a reload (request \(request.requestText))")
        sources.reload { outcome in
            switch outcome {
            case .over: reply(AdminRefusal.draining.answer())
            case .refused(_, let problems):
                reply(
                    AdminRefusal.reloadRefused.answer { json in
                        json.name("problems")
                        json.write(problems.map(\.text))
                    })
            case .unchanged: reply(Self.reloaded(changes: [], warnings: []))
            case .done(_, let changes, _, let warnings): reply(Self.reloaded(changes: changes, warnings: warnings.map(\.text)))
            }
        }
    }

    private static func reloaded(changes: [String], warnings: [String]) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.member("changed", !changes.isEmpty)
        json.name("changes")
        json.write(changes)
        json.name("warnings")
        json.write(warnings)
        json.endObject()
        return AdminAnswer(json)
    }
}
