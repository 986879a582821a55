import Foundation
import TestSupport
import Testing

/// What a suspend call becomes when the service's answer is lost, spoiled or a lie (SPEC §4).
@Suite("faults of the service", .serialized, .timed)
struct UpstreamFaultTests {
    /// What must come of a suspension of an active user.
    enum Expected: Sendable {
        /// The user is blocked, the client reads the answer.
        case confirmed
        /// 502 or 504 that says so; nothing changes here.
        case unconfirmed
        /// The service's own answer with this status is passed on; nothing changes here.
        case passedOn(Int)
    }

    static let faults: [(String, Expected)] = [
        (#"{"kind":"drop_unread"}"#, .unconfirmed),
        (#"{"kind":"drop","commit":false}"#, .unconfirmed),
        (#"{"kind":"drop","commit":true}"#, .unconfirmed),
        (#"{"kind":"hang","commit":false}"#, .unconfirmed),
        (#"{"kind":"hang","commit":true}"#, .unconfirmed),
        (#"{"kind":"half"}"#, .unconfirmed),
        (#"{"kind":"other_id"}"#, .unconfirmed),
        (#"{"kind":"other_state"}"#, .unconfirmed),
        (#"{"kind":"accepted"}"#, .unconfirmed),
        (#"{"kind":"no_content"}"#, .unconfirmed),
        (#"{"kind":"html"}"#, .unconfirmed),
        (#"{"kind":"brotli"}"#, .unconfirmed),
        (#"{"kind":"large"}"#, .unconfirmed),
        (#"{"kind":"duplicate_names"}"#, .unconfirmed),
        (#"{"kind":"avatar"}"#, .confirmed),
        (#"{"kind":"slow"}"#, .confirmed),
        (#"{"kind":"status","status":500}"#, .passedOn(500)),
        (#"{"kind":"status","status":500,"commit":true}"#, .passedOn(500)),
        (#"{"kind":"status","status":408}"#, .passedOn(408)),
        (#"{"kind":"status","status":409}"#, .passedOn(409)),
        (#"{"kind":"status","status":403}"#, .passedOn(403)),
        (#"{"kind":"status","status":404}"#, .passedOn(404)),
    ]

    @Test("a fault is answered as SPEC says, and blocks only what was confirmed", arguments: Dialect.both)
    func suspensions(_ dialect: Dialect) throws {
        let world = try World { $0.timeout = "1s" }
        let service = world.service(of: dialect)
        let neighbour = try world.gateway.client()
        for (fault, expected) in Self.faults {
            try service.arm(fault)
            let before = try world.commitNumber(dialect.member, dialect) ?? 0
            let answer = try world.gateway.ask(dialect.setActive(false, dialect.member))
            check(answer, expected, "\(dialect) \(fault)")
            let blocked = try world.isBlocked(dialect.member, dialect)
            if case .confirmed = expected { #expect(blocked == true, "\(fault)") } else { #expect(blocked == false, "\(fault)") }
            let commits = try (world.commitNumber(dialect.member, dialect) ?? 0) - before
            #expect((0...1).contains(commits), "\(fault): the call was repeated")
            #expect(isBlocked(try neighbour.exchange(dialect.probe(dialect.adminToken))) == false, "\(fault): others are not concerned")
            try restore(world, dialect, fault)
        }
    }

    @Test("a reactivation that is not confirmed leaves the block in force", arguments: Dialect.both)
    func reactivations(_ dialect: Dialect) throws {
        let world = try World { $0.timeout = "1s" }
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        for (fault, expected) in Self.faults {
            guard case .unconfirmed = expected else { continue }
            try world.service(of: dialect).arm(fault)
            check(try world.gateway.ask(dialect.setActive(true, dialect.member)), expected, "\(dialect) \(fault)")
            #expect(try world.isBlocked(dialect.member, dialect) == true, "\(fault)")
        }
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.member)).status == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == false)
    }

    @Test("an unconfirmed suspension is still none after SIGKILL, and the next confirmed one is", arguments: Dialect.both)
    func unconfirmedAcrossRestart(_ dialect: Dialect) throws {
        let world = try World { $0.timeout = "1s" }
        try world.service(of: dialect).arm(#"{"kind":"drop"}"#)
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 502)
        try world.killAndRestart()
        #expect(try world.isBlocked(dialect.member, dialect) == false)
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == true)
    }

    @Test("the service away altogether: not sent, nothing changes, and the client is told", arguments: Dialect.both)
    func serviceAway(_ dialect: Dialect) throws {
        let world = try World { file in
            let port = Self.closedPort()
            file.jitsudoPort = port
            file.rinnePort = port
        }
        let answer = try world.gateway.ask(dialect.setActive(false, dialect.member))
        #expect(answer.status == 502)
        #expect(answer.gatewayCode == "upstream_unavailable")
    }

    private func check(_ answer: WireAnswer, _ expected: Expected, _ name: String) {
        switch expected {
        case .confirmed:
            #expect(answer.status == 200, "\(name)")
            #expect(answer.field("suspension-reach") == "gateway", "\(name)")
        case .passedOn(let status):
            #expect(answer.status == status, "\(name)")
            #expect(answer.gatewayCode == nil, "\(name): the service's own answer")
            #expect(answer.field("suspension-reach") == nil, "\(name)")
        case .unconfirmed:
            #expect([502, 504].contains(answer.status), "\(name): \(answer.status)")
            #expect(answer.gatewayCode != nil, "\(name)")
            let error = answer.json?["error"] as? [String: Any] ?? answer.json
            #expect((error?["details"] as? [String: Any])?["suspension"] as? String == "unconfirmed", "\(name): \(answer.text)")
            #expect(!answer.text.contains("created_at"), "\(name): the service's answer must not leak through")
        }
    }

    /// Makes the user active again on both sides.
    private func restore(_ world: World, _ dialect: Dialect, _ fault: String) throws {
        try world.service(of: dialect).disarm()
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.member)).status == 200, "after \(fault)")
        #expect(try world.isBlocked(dialect.member, dialect) == false, "after \(fault)")
    }

    /// A port at which nobody listens.
    private static func closedPort() -> Int {
        guard let upstream = try? RecordingUpstream() else { return 1 }
        upstream.stop()
        return upstream.port
    }
}
