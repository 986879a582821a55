import Foundation
import TestSupport
import Testing

/// The dashboard in a real browser.
@Suite(
    "the dashboard", .serialized, .timed,
    .enabled(if: Browser.program != nil && Provider.python != nil, "Chromium or the providers' Python is not installed"))
struct DashboardTests {
    @Test("suspended from the page, the user's next request is refused and the row shows; lifted with the keyboard, it passes")
    func suspendAndLift() throws {
        let world = try World { $0.admin = true }
        let dialect = Dialect.rinne
        let client = try world.gateway.client()
        #expect(isBlocked(try client.exchange(dialect.probe(dialect.memberToken))) == false)
        let suspended = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                DashboardVisit.add(dialect.member), DashboardVisit.rows("blocks", until: "row.includes('usr_ben')"),
                DashboardVisit.rows("log", until: "row.includes('usr_ben')"),
                "await until(() => document.getElementById('figures').innerText.includes('requests per s')); return document.getElementById('verdict').textContent",
            ])
        #expect((suspended.results[1] as? String)?.contains("is blocked now: on every loop") == true, "\(suspended.results)")
        #expect((suspended.results[2] as? [String])?.first?.contains("INC-4711") == true, "\(suspended.results)")
        #expect((suspended.results[3] as? [String])?.first?.contains("ops") == true, "the log is live: \(suspended.results)")
        #expect(suspended.results[4] as? String == "Healthy")
        #expect(suspended.complaints.isEmpty, "\(suspended.complaints)")
        #expect(suspended.stored.trimmingCharacters(in: .whitespaces) == "{} {} http://127.0.0.1:\(try world.gateway.adminPort())/")
        #expect(isBlocked(try client.exchange(dialect.probe(dialect.memberToken))) == true)

        let lifted = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                DashboardVisit.rows("blocks", until: "row.includes('usr_ben')"),
                DashboardVisit.rows("refused", until: "row.includes('user_suspended')"),
                // The last field of the search, its button, and the row's button.
                "document.querySelector('#search select[name=source]').focus(); return 1", "key:Tab", "key:Tab",
                "return document.activeElement.getAttribute('aria-label')", "key:Enter", "type:false alarm", "key:Enter",
                "return await until(() => document.getElementById('done').textContent.includes('lifted') && document.getElementById('done').textContent)",
                "await until(() => document.querySelector('#blocks').innerText.includes('Nobody')); return 1",
            ])
        #expect(lifted.results[4] as? String == "Lift usr_ben in all tenants of rinne", "\(lifted.results)")
        #expect((lifted.results[5] as? String) == "usr_ben in all tenants of rinne: lifted.")
        #expect(lifted.complaints.isEmpty, "\(lifted.complaints)")
        #expect(isBlocked(try client.exchange(dialect.probe(dialect.memberToken))) == false)
    }

    @Test("what others have written stands there as text")
    func hostile() throws {
        let world = try World { $0.admin = true }
        let user = "<img src=x onerror=alert(1)>"
        let visit = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                DashboardVisit.add(user, reason: "</td><script>alert(2)</script>"),
                DashboardVisit.rows("blocks", until: "row.includes('<img')"),
                "return document.querySelectorAll('main img, main script').length",
            ])
        #expect((visit.results[2] as? [String])?.first?.contains("</td><script>") == true, "\(visit.results)")
        #expect(visit.results[3] as? Int == 0)
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("a viewer sees all and can change nothing; a wrong token is told, and the page asks again; calls without an outcome are on top")
    func otherTokens() throws {
        let world = try World { $0.admin = true }
        try world.rinne.arm(#"{"kind":"drop"}"#)
        #expect(try world.gateway.ask(Dialect.rinne.setActive(false, "usr_ben")).status == 502)
        let viewer = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.viewerToken) + [
                DashboardVisit.rows("unconfirmed", until: "row.includes('usr_ben')"),
                "return [document.getElementById('add').hidden, [...document.querySelectorAll('td button')].every((button) => button.hidden)]",
                "return document.getElementById('verdict').textContent + document.getElementById('who').textContent",
            ])
        #expect(viewer.results[2] as? [Bool] == [true, true])
        #expect(
            (viewer.results[3] as? String)?.contains("needs a look") == true
                && (viewer.results[3] as? String)?.contains("eyes (viewer)") == true)
        let wrong = try DashboardVisit(
            world.gateway,
            [
                "type:\(String(repeating: "w", count: 40))", "key:Enter",
                "return await until(() => !document.getElementById('trouble').hidden && document.getElementById('trouble').textContent)",
                "return `${document.getElementById('main').hidden} ${document.getElementById('token').value.length}`",
            ])
        #expect((wrong.results[0] as? String)?.contains("401 invalid_token") == true)
        #expect(wrong.results[1] as? String == "true 0", "the page is closed and its field empty")
    }

    @Test("what the last comparison with a service came to stands there, and that it waits for a yes")
    func reconcile() throws {
        let stand = try ReadingStand(.rinne, reconcile: "{every: 1h}") { $0.admin = true }
        try stand.wait(for: #"tenantgate_reconcile_runs_total{directory="rinne",ending="done"}"#) { $0 >= 1 }
        let visit = try DashboardVisit(
            stand.world.gateway,
            DashboardVisit.enter(TestAdmin.viewerToken) + [
                DashboardVisit.rows("reconcile", until: "row.includes('rinne') && row.includes('blocked')"),
                "return document.getElementById('reconcile-section').hidden",
            ])
        let rows = visit.results.count > 1 ? visit.results[1] as? [String] : nil
        #expect(rows?.count == 2 && rows?.last?.contains("users on 1 pages: 0 blocked, 0 lifted") == true, "\(visit.results)")
        #expect(visit.results.last as? Bool == false && visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("its files need no token, hold nothing inline and nothing of elsewhere")
    func files() throws {
        let world = try World { $0.admin = true }
        for (path, type) in [("/", "text/html"), ("/app.css", "text/css"), ("/app.js", "text/javascript"), ("/icon.svg", "image/svg+xml")] {
            let answer = try world.gateway.admin("GET", path, token: nil)
            #expect(answer.status == 200 && answer.field("content-type")?.hasPrefix(type) == true)
            let policy = answer.field("content-security-policy") ?? ""
            #expect(policy.hasPrefix("default-src 'none';") && !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
            for word in ["style=", " onclick", "<style", "<script>", "https://", "innerHTML", "eval(", "localStorage", "document.cookie"] {
                #expect(!answer.text.contains(word), "\(path) has \(word)")
            }
        }
    }
}
