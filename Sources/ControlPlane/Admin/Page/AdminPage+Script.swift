import Policy
import StrictJSON

extension AdminPage {
    /// What a person reads of each code: the gateway's own words for it.
    static let scriptOfWords: String = {
        var json = JSONWriter()
        json.beginObject()
        for denial in Denial.allCases { json.member(denial.code.description, denial.row.message.description) }
        json.member("upstream_aborted", "The service broke off its answer.")
        json.endObject()
        return "'use strict';\nconst words = \(String(decoding: json.bytes, as: UTF8.self));\n"
    }()

    /// The token, asking, and what is said when that fails: the first part of the page's program.
    static let script = #"""
        // The dashboard: asks the admin API with the token that was typed in, and shows what it says. Everything from outside goes into
        // the page as text. The token lives in this variable and nowhere else.
        let token = null;
        let role = 'viewer';
        let session = 0;                       // goes up with each token: what belongs to an earlier one is dropped
        let life = new AbortController();      // ends with it, and all that was asked

        const $ = (id) => document.getElementById(id);
        const body = (id) => document.querySelector(`#${id} tbody`);
        const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

        // What can't be seen is written out, so that no id looks like another one.
        const plain = (text) => String(text).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (each) => `\\u{${each.codePointAt(0).toString(16)}}`);

        function element(name, text, className) {
          const made = document.createElement(name);
          if (text !== undefined) made.textContent = plain(text);
          if (className) made.className = className;
          return made;
        }

        // Says it only where it's news: what is said again would be read out again.
        function say(node, text) { if (node.textContent !== text) node.textContent = text; }

        const number = (value) => value === 0 ? '0' : value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
        const local = (text) => text ? new Date(text).toLocaleString('sv') : '';
        const span = (s) => s < 120 ? `${Math.round(s)} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;

        // A table's rows, each {key, cells, make}: rows that stay are left in place, with focus and selection. A cell is a text,
        // [text, class, small print] or, made once for each row, a node by `make`.
        const shown = new WeakMap();

        function fill(id, rows, none) {
          const table = body(id);
          const held = [...table.rows].findIndex((each) => each.contains(document.activeElement));
          const titles = [...table.parentNode.tHead.rows[0].cells].map((each) => each.textContent);
          if (!rows.length && none) rows = [{key: 'none', cells: [[none, 'none']]}];
          const old = new Map([...table.rows].map((each) => [shown.get(each).key, each]));
          const keys = new Set(rows.map((each) => each.key));
          for (const [key, each] of old) if (!keys.has(key)) each.remove();
          let place = table.firstChild;
          for (const each of rows) {
            const made = old.get(each.key) ?? element('tr');
            fillRow(made, each, titles);
            if (made === place) place = place.nextSibling; else table.insertBefore(made, place);
          }
          if (held >= 0 && !table.contains(document.activeElement)) {
            (table.rows[Math.min(held, table.rows.length - 1)].querySelector('button') ?? $('search').elements.user).focus();
          }
        }

        function fillRow(made, each, titles) {
          const before = shown.get(made);
          shown.set(made, each);
          made.setAttribute('role', 'row');
          if (!before && each.make) { const cell = element('td', undefined, 'do'); cell.append(each.make()); made.append(cell); }
          const first = each.make ? 1 : 0;
          each.cells.forEach((cell, index) => {
            if (before && JSON.stringify(before.cells[index]) === JSON.stringify(cell)) return;
            const [text, className, small] = Array.isArray(cell) ? cell : [cell];
            const made_ = element('td', text ?? '', className);
            made_.dataset.title = each.key === 'none' ? '' : titles[index + first] ?? '';
            made_.setAttribute('role', 'cell');
            if (small) made_.append(element('small', small));
            if (each.key === 'none') made_.colSpan = titles.length;
            if (before) made.cells[index + first].replaceWith(made_); else made.append(made_);
          });
        }

        class Refused extends Error {
          constructor(status, answer) {
            super(answer.message || `The gateway answered ${status}.`);
            this.status = status;
            this.code = answer.code;
          }
        }

        // Nobody waits for it any more: the token it was asked with has been forgotten.
        class Gone extends Error {}

        async function ask(path, wish, signal = life.signal) {
          const mine = session;
          const options = {headers: {Authorization: `Bearer ${token}`}, cache: 'no-store', redirect: 'error', credentials: 'omit', signal};
          if (wish !== undefined) {
            options.method = 'POST';
            options.headers['Content-Type'] = 'application/json';
            options.body = JSON.stringify(wish);
          }
          try {
            const answer = await fetch(path, options);
            if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
            if (mine === session) return answer;
          } catch (error) {
            if (mine === session) throw error;
          }
          throw new Gone();
        }

        async function get(path, wish) {
          const mine = session;
          const answer = await ask(path, wish);
          try {
            const value = await answer.json();
            if (mine === session) return value;
          } catch (error) {
            if (mine === session) throw error;
          }
          throw new Gone();
        }

        // What goes wrong, by what was asked: one that works again doesn't hide another one that still fails.
        const troubles = new Map();

        function trouble(key, error) {
          if (error instanceof Gone) return;
          if (error instanceof Refused && error.status === 401) leave();
          if (!error) troubles.delete(key);
          else if (error instanceof Refused) troubles.set(key, `${error.message} (${[error.status, error.code].filter(Boolean).join(' ')})`);
          else if (!troubles.get(key)?.startsWith('The gateway doesn’t')) {
            troubles.set(key, `The gateway doesn’t answer since ${new Date().toLocaleTimeString('sv')}. What is shown may be old.`);
          }
          const all = [...troubles.values()];
          const text = all.find((each) => each.startsWith('The gateway doesn’t')) ?? all[0] ?? '';
          say($('trouble'), plain(text));
          $('trouble').hidden = !text;
        }

        function leave() {
          token = null;
          session += 1;
          life.abort();
          life = new AbortController();
          troubles.clear();
          if ($('lift').open) $('lift').close();
          $('main').hidden = $('leave').hidden = true;
          $('enter').hidden = false;
          for (const id of ['who', 'done', 'token-problem', 'verdict', 'summary', 'following', 'window']) $(id).textContent = '';
          for (const table of document.querySelectorAll('main tbody')) table.replaceChildren();
          for (const form of [$('add'), $('search')]) form.reset();
          for (const list of [$('reasons'), $('figures')]) list.replaceChildren();
          forget();
          $('token').focus();
        }

        $('leave').addEventListener('click', () => { leave(); trouble('', null); });

        // What no token can be is said here; it would not even be sent.
        function tokenProblem(text) {
          const bad = [...text].findIndex((each) => !/^[\x21-\x7e]$/.test(each));
          if (bad >= 0) return `No token: character ${bad + 1} is ${text.codePointAt([...text].slice(0, bad).join('').length) === 32 ? 'a space' : 'none of visible ASCII'}. Was more copied than the token?`;
          return text.length < 32 || text.length > 1024 ? `No token: ${text.length} characters; a token has 32 to 1024.` : '';
        }

        $('enter').addEventListener('submit', async (event) => {
          event.preventDefault();
          const typed = $('token').value.trim();
          $('token').value = '';
          const problem = tokenProblem(typed);
          say($('token-problem'), problem);
          trouble('enter', null);
          if (problem) return;
          session += 1;
          token = typed;
          try {
            const status = await get('/api/status');
            open(status);
          } catch (error) { trouble('enter', error); }
        });

        function open(status) {
          role = status.token.role;
          $('enter').hidden = true;
          $('main').hidden = $('leave').hidden = false;
          $('add').hidden = role !== 'operator';
          for (const select of document.querySelectorAll('select[name=directory]')) {
            const all = select.form.id === 'search' ? [new Option('all', '')] : [];
            select.replaceChildren(...all, ...status.directories.map((each) => new Option(each.name)));
          }
          showStatus(status);
          $('verdict').focus();
          follow(session);
          every('status', 2000, async () => showStatus(await get('/api/status')));
          every('metrics', 2000, async () => takeMetrics(await get('/api/metrics')));
          every('upstreams', 5000, async () => showUpstreams(await get('/api/upstreams')));
          every('keys', 5000, async () => showKeys(await get('/api/keys')));
          every('routes', 10000, async () => showRouteRules(await get('/api/routes')));
          every('suspensions', 10000, refresh);
        }

        // Asks again and again while this token is in use; not while nobody looks.
        async function every(key, milliseconds, work) {
          const mine = session;
          while (mine === session) {
            try {
              if (!document.hidden) { await work(); trouble(key, null); }
            } catch (error) {
              trouble(key, error);
              if (key === 'status' && mine === session) showSilence();
            }
            await sleep(milliseconds);
          }
        }

        """#
}
