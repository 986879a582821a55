import Foundation
import TestSupport
import Testing

/// The dashboard in the hands of somebody who is called at night: what it must not take away, hide, or say wrongly.
@Suite(
    "the dashboard in use", .serialized, .timed,
    .enabled(if: Browser.program != nil && Provider.python != nil, "Chromium or the providers' Python is not installed"))
struct DashboardUseTests {
    private static func crowded() throws -> World {
        let world = try World { $0.admin = true }
        let lines = (100..<350).map { #"{"directory":"rinne","user":"usr_\#($0)"}"# }.joined(separator: "\n")
        #expect(try world.gateway.admin("POST", "/api/suspensions/import", type: "application/x-ndjson", body: lines).status == 200)
        return world
    }

    @Test("further pages, the focus and what is being typed survive every refresh; a row that goes hands its focus to the next")
    func refresh() throws {
        let world = try Self.crowded()
        let visit = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                """
                const table = document.querySelector('#blocks tbody');
                await until(() => table.rows.length === 100);
                document.getElementById('more').click();
                await until(() => table.rows.length === 200);
                window.kept = table.rows[150];
                kept.querySelector('button').focus();
                document.getElementById('search').elements.user.value = 'usr_1';
                await refresh(); await refresh();
                return [table.rows.length, table.rows[150] === kept, document.activeElement === kept.querySelector('button'),
                  document.getElementById('search').elements.user.value, document.getElementById('count').textContent].join(' | ');
                """,
                // Told by the log, not by the page's own doing.
                """
                const table = document.querySelector('#blocks tbody');
                await get('/api/suspensions/lift', {directory: 'rinne', user: 'usr_250', reason: 'gone'});
                await until(() => !kept.isConnected);
                return [document.activeElement.getAttribute('aria-label'), table.rows.length].join(' | ');
                """,
            ])
        #expect(visit.results[1] as? String == "200 | true | true | usr_1 | The first 200.", "\(visit.results)")
        #expect(visit.results[2] as? String == "Lift usr_251 in all tenants of rinne | 200", "\(visit.results)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("the log shows each entry once, however often its connection ends, and the newest of many")
    func log() throws {
        let world = try Self.crowded()
        let visit = try DashboardVisit(
            world.gateway,
            [
                // The first look fails: the whole log must not come instead.
                """
                const real = window.fetch;
                window.asked = [];
                window.fetch = (path, options) => {
                  if (path.startsWith('/api/log')) { asked.push(path); if (asked.length === 1) return Promise.reject(new TypeError('away')); }
                  return real(path, options);
                };
                return 1;
                """
            ] + DashboardVisit.enter(TestAdmin.operatorToken) + [
                """
                const numbers = () => [...document.querySelectorAll('#log tbody tr')].map((row) => row.cells[0].textContent);
                const isLive = () => document.getElementById('following').textContent === 'live';
                await until(isLive);
                for (let turn = 0; turn < 2; turn += 1) { following.abort(); await until(() => !isLive()); await until(isLive); }
                await get('/api/suspensions', {directory: 'rinne', user: 'usr_new', reason: 'new'});
                await until(() => numbers()[0] === '251');
                return [numbers().length, new Set(numbers()).size, numbers()[199], asked.some((path) => path.includes('after=0'))].join(' | ');
                """
            ])
        #expect(visit.results[2] as? String == "200 | 200 | 52 | false", "\(visit.results)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("what fails is said for as long as it fails, without blinking, and a silent gateway isn't shown as healthy")
    func trouble() throws {
        let world = try World { $0.admin = true }
        let visit = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                """
                const real = window.fetch;
                window.restore = () => { window.fetch = real; };
                window.fetch = (path, options) => path === '/api/keys' ? Promise.resolve(new Response('{}', {status: 500})) : real(path, options);
                const banner = document.getElementById('trouble');
                await until(() => !banner.hidden);
                let changes = 0;
                new MutationObserver((all) => { changes += all.length; }).observe(banner, {attributes: true, childList: true, characterData: true, subtree: true});
                await sleep(5000);
                return `${banner.textContent} ${changes}`;
                """,
                """
                const real = window.fetch;
                window.fetch = () => Promise.reject(new TypeError('away'));
                const verdict = document.getElementById('verdict');
                await until(() => verdict.textContent.startsWith('No answer'));
                const silent = [document.getElementById('health').className, document.getElementById('trouble').textContent].join(' | ');
                restore();
                await until(() => verdict.textContent === 'Healthy');
                await until(() => document.getElementById('trouble').hidden);
                return silent;
                """,
            ])
        #expect(visit.results[1] as? String == "The gateway answered 500. (500) 0", "\(visit.results)")
        #expect((visit.results[2] as? String)?.hasPrefix("bad | ") == true, "\(visit.results)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("a token that was forgotten shows nothing any more, whatever is still on its way")
    func forgotten() throws {
        let world = try Self.crowded()
        let visit = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                """
                await until(() => document.querySelectorAll('#blocks tbody tr').length === 100);
                const real = window.fetch;
                let late = 0;
                window.fetch = async (path, options) => { const answer = await real(path, {...options, signal: undefined}); await sleep(400); late += 1; return answer; };
                const asked = [get('/api/status').then(showStatus), refresh(), change('/api/suspensions', {directory: 'rinne', user: 'usr_x', reason: 'x'}, () => 'DONE')];
                await sleep(50);
                document.getElementById('leave').click();
                await Promise.allSettled(asked);
                await until(() => late >= 3);
                await sleep(1000);
                return [document.getElementById('main').hidden, document.querySelectorAll('main tbody tr').length, document.getElementById('who').textContent,
                  document.getElementById('done').textContent, document.getElementById('verdict').textContent, document.getElementById('trouble').hidden,
                  document.activeElement.id, token].join(' | ');
                """
            ])
        #expect(visit.results[1] as? String == "true | 0 |  |  |  | true | token | ", "\(visit.results)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("what can be no token is told so, and isn't sent")
    func noToken() throws {
        let read = """
            const sent = performance.getEntriesByType('resource').filter((each) => each.name.includes('/api/')).length;
            return `${document.getElementById('token-problem').textContent} | ${sent}`;
            """
        let long = String(repeating: "a", count: 40)
        let world = try World { $0.admin = true }
        let visit = try DashboardVisit(
            world.gateway,
            ["type:short", "key:Enter", read, "type:\(long)ö", "key:Enter", read, "type:Bearer \(long)", "key:Enter", read]
                + DashboardVisit.enter(TestAdmin.viewerToken))
        #expect(visit.results[0] as? String == "No token: 5 characters; a token has 32 to 1024. | 0")
        #expect(visit.results[1] as? String == "No token: character 41 is none of visible ASCII. Was more copied than the token? | 0")
        #expect(visit.results[2] as? String == "No token: character 7 is a space. Was more copied than the token? | 0", "\(visit.results)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }

    @Test("by keyboard alone: a user is suspended, found and let in again")
    func keyboard() throws {
        let world = try World { $0.admin = true }
        let place = """
            const at = document.activeElement;
            return at.getAttribute('aria-label') ?? `${at.closest('form, dialog')?.id || at.closest('dialog')?.id} ${at.name || at.textContent}`;
            """
        func done(_ word: String) -> String {
            "return await until(() => document.getElementById('done').textContent.includes('\(word)') && document.getElementById('done').textContent)"
        }
        let visit = try DashboardVisit(
            world.gateway,
            DashboardVisit.enter(TestAdmin.operatorToken) + [
                "await until(() => document.querySelector('#blocks td.none')); return 1",
                "key:Tab", place, "key:ArrowDown", "key:Tab", "key:Tab", place, "type:usr_ben", "key:Tab", "type:INC-4711", "key:Enter",
                done("blocked"), "key:Tab", place, "key:Tab", place, "type:usr_ben", "key:Enter",
                DashboardVisit.rows("blocks", until: "row.includes('usr_ben')"), "key:Tab", "key:Tab", "key:Tab", "key:Tab", place,
                "key:Tab",
                place, "key:Enter", place, "type:false alarm", "key:Enter", done("lifted"),
                "await until(() => document.querySelector('#blocks td.none'));" + place,
            ])
        let places = visit.results.dropFirst(2).map { ($0 as? String) ?? "\($0)" }
        #expect(
            places == [
                "add directory", "add user", "usr_ben in all tenants of rinne is blocked now: on every loop, open work cut, and on disk.",
                "add Suspend", "search user", places[5], "search Search", "Lift usr_ben in all tenants of rinne", "lift reason",
                "usr_ben in all tenants of rinne: lifted.", "search user",
            ], "\(places)")
        #expect(visit.complaints.isEmpty, "\(visit.complaints)")
    }
}
