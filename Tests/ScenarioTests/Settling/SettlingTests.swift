import Foundation
import TestSupport
import Testing

/// Calls whose outcome is unknown, settled by reading the user with the service token (SPEC §4 step 6). Real programs throughout.
@Suite("unconfirmed calls are settled by a read", .serialized, .timed)
struct SettlingTests {
    @Test("a suspension that the service made but couldn't say is in force within moments, and shown as settled", arguments: Dialect.both)
    func committed(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect)
        try stand.service.arm(#"{"kind":"drop"}"#)
        #expect(try stand.set(false, dialect.member).status == 502)
        #expect(try stand.wait(untilBlocked: true, dialect.member))
        try stand.waitUntilSettled()
        let metrics = try stand.world.gateway.metrics()
        #expect(metrics[#"tenantgate_settled_users_total{state="suspended"}"#] == 1)
        #expect(metrics[#"tenantgate_suspend_calls_total{call="suspend",outcome="unconfirmed"}"#] == 1)
        #expect(try stand.world.isBlocked(dialect.member, dialect) == true)
        #expect(try stand.learned(dialect.member) == ["unconfirmed", "read"])
        #expect(!stand.world.gateway.process.outputText.contains(GatewayFile.serviceToken))
        #expect(!stand.world.gateway.process.errorText.contains(GatewayFile.serviceToken))
    }

    @Test("a suspension that the service did not make settles as active and blocks nobody", arguments: Dialect.both)
    func notCommitted(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect)
        try stand.service.arm(#"{"kind":"drop","commit":false}"#)
        #expect(try stand.set(false, dialect.member).status == 502)
        try stand.waitUntilSettled()
        let metrics = try stand.world.gateway.metrics()
        #expect(metrics[#"tenantgate_settled_users_total{state="active"}"#] == 1)
        #expect(metrics[#"tenantgate_settled_users_total{state="suspended"}"#] == 0)
        #expect(try stand.world.isBlocked(dialect.member, dialect) == false)
        #expect(try stand.learned(dialect.member) == ["unconfirmed", "read"])
    }

    @Test("a reactivation that the service made but couldn't say lifts the block", arguments: Dialect.both)
    func reactivated(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect)
        #expect(try stand.set(false, dialect.member).status == 200)
        try stand.service.arm(#"{"kind":"drop"}"#)
        #expect(try stand.set(true, dialect.member).status == 502)
        #expect(try stand.wait(untilBlocked: false, dialect.member))
        try stand.waitUntilSettled()
        #expect(try stand.world.gateway.metrics()[#"tenantgate_settled_users_total{state="active"}"#] == 1)
    }

    @Test("a suspension that the service makes only after it was read as active is found while it may come late", arguments: Dialect.both)
    func late(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "30s")
        try stand.service.arm(#"{"kind":"hold","commit":false}"#)
        #expect(try stand.set(false, dialect.member).status == 504)
        try stand.wait(for: #"tenantgate_user_reads_total{result="active"}"#) { $0 >= 1 }
        #expect(try stand.world.isBlocked(dialect.member, dialect) == false)
        try stand.service.release()
        #expect(try stand.wait(untilBlocked: true, dialect.member))
        #expect(try stand.world.isSuspendedAtService(dialect.member, dialect) == true)
    }

    @Test("a lost suspension that comes after a confirmed reactivation is found by reading again", arguments: Dialect.both)
    func lateAfterConfirmed(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "30s")
        try stand.service.arm(#"{"kind":"hold","commit":false}"#)
        #expect(try stand.set(false, dialect.member).status == 504)
        #expect(try stand.set(true, dialect.member).status == 200)
        #expect(try stand.world.isBlocked(dialect.member, dialect) == false)
        try stand.service.release()
        #expect(try stand.wait(untilBlocked: true, dialect.member))
    }

    @Test("a lost reactivation that comes after a confirmed suspension doesn't lift it", arguments: Dialect.both)
    func lateReactivation(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "2s")
        #expect(try stand.set(false, dialect.member).status == 200)
        try stand.service.arm(#"{"kind":"hold","commit":false}"#)
        #expect(try stand.set(true, dialect.member).status == 504)
        #expect(try stand.set(false, dialect.member).status == 200)
        try stand.service.release()
        let reads = try stand.wait(for: #"tenantgate_user_reads_total{result="active"}"#) { $0 >= 1 }
        #expect(reads ?? 0 >= 1, "the service has carried it out, and was asked")
        try stand.waitUntilSettled()
        #expect(try stand.world.isBlocked(dialect.member, dialect) == true)
    }

    @Test("a read that a confirmed call overtakes doesn't count", arguments: Dialect.both)
    func overtaken(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "30s")
        try stand.service.arm(#"{"kind":"drop","commit":false}"#)
        // The first read is answered at once, with the state of before, but its answer waits.
        try stand.service.arm(#"{"kind":"hold","commit":true,"read":true}"#)
        #expect(try stand.set(true, dialect.member).status == 502)
        try waitForHeld(stand)
        #expect(try stand.set(false, dialect.member).status == 200)
        try stand.service.release()
        try stand.wait(for: #"tenantgate_user_reads_total{result="overtaken"}"#) { $0 >= 1 }
        try stand.wait(for: #"tenantgate_user_reads_total{result="suspended"}"#) { $0 >= 1 }
        #expect(try stand.world.isBlocked(dialect.member, dialect) == true)
    }

    @Test("after SIGKILL the ledger's unconfirmed and pending calls are read", arguments: Dialect.both)
    func killed(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "1s")
        try stand.service.arm(#"{"kind":"hold"}"#)
        let caller = try stand.world.gateway.client()
        try caller.stream.send(Array(dialect.setActive(false, dialect.member).utf8))
        try waitForHeld(stand)
        try stand.world.killAndRestart()
        #expect(try stand.wait(untilBlocked: true, dialect.member))
        try stand.waitUntilSettled()
        #expect(try stand.learned(dialect.member).prefix(2) == ["crash", "read"])
    }

    @Test("a service that is away is left alone more and more, and read when it is back", arguments: Dialect.both)
    func away(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "1s")
        try stand.service.arm(#"{"kind":"drop"}"#)
        try stand.service.arm(#"{"kind":"status","status":503,"read":true,"times":1000000}"#)
        #expect(try stand.set(false, dialect.member).status == 502)
        try stand.wait(for: #"tenantgate_user_reads_total{result="sick"}"#) { $0 >= 3 }
        #expect(try stand.world.gateway.metrics()[#"tenantgate_user_reads_total{result="sick"}"#]! <= 4, "it is not hammered")
        #expect(try stand.world.isBlocked(dialect.member, dialect) == false)
        #expect(stand.world.gateway.process.errorText.contains("users of \(dialect) can't be read: status 503"))
        try stand.service.disarm()
        #expect(try stand.wait(untilBlocked: true, dialect.member, seconds: 30))
        try stand.waitUntilSettled()
    }

    @Test("a user whom the service doesn't know stays unconfirmed: absence teaches nothing", arguments: Dialect.both)
    func absent(_ dialect: Dialect) throws {
        let stand = try ReadingStand(dialect, late: "1s")
        #expect(try stand.set(false, dialect.member).status == 200)
        try stand.service.arm(#"{"kind":"drop"}"#)
        try stand.inService { try $0.execute(sql: "DELETE FROM users WHERE email LIKE 'ben@%'") }
        #expect(try stand.set(true, dialect.member).status == 502)
        try stand.wait(for: #"tenantgate_user_reads_total{result="absent"}"#) { $0 >= 3 }
        #expect(try stand.world.isBlocked(dialect.member, dialect) == true)
        #expect(try stand.world.gateway.metrics()["tenantgate_unconfirmed_users"] == 1)
    }

    private func waitForHeld(_ stand: ReadingStand) throws {
        let end = Date.now.addingTimeInterval(10)
        while try stand.service.held() == 0, Date.now < end { usleep(10_000) }
        #expect(try stand.service.held() > 0)
    }
}
