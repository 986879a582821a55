extension AdminPage {
    static let script = #"""
        'use strict';
        // The dashboard: asks the admin API with the token that was typed in, and shows what it says. Everything from outside goes into
        // the page as text. The token lives in this variable and nowhere else.
        let token = null;
        let role = 'viewer';
        let session = 0;                       // goes up with each token: what belongs to an earlier one ends
        const windowMilliseconds = 60000;      // rates are those of the last minute
        const samples = [];                    // what /api/metrics said in that time, the oldest first
        let cursor = null;

        const $ = (id) => document.getElementById(id);
        const body = (id) => document.querySelector(`#${id} tbody`);

        function element(name, text, className) {
          const made = document.createElement(name);
          if (text !== undefined) made.textContent = text;
          if (className) made.className = className;
          return made;
        }

        // Cells are texts, [text, class] or nodes.
        function row(cells) {
          const made = element('tr');
          for (const cell of cells) {
            if (cell instanceof Node) { const td = element('td'); td.append(cell); made.append(td); }
            else if (Array.isArray(cell)) made.append(element('td', cell[0], cell[1]));
            else made.append(element('td', cell));
          }
          return made;
        }

        function fill(id, rows, columns, none) {
          const empty = element('tr');
          const cell = element('td', none, 'none');
          cell.colSpan = columns;
          empty.append(cell);
          body(id).replaceChildren(...(rows.length ? rows : [empty]));
        }

        const number = (value) => value === 0 ? '0' : value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
        const local = (text) => text ? new Date(text).toLocaleString('sv') : '';
        const span = (s) => s < 120 ? `${Math.round(s)} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;

        class Refused extends Error {
          constructor(status, answer) {
            super(answer.message || `The gateway answered ${status}.`);
            this.status = status;
            this.code = answer.code;
          }
        }

        async function ask(path, wish) {
          const options = {headers: {Authorization: `Bearer ${token}`}, cache: 'no-store', redirect: 'error', credentials: 'omit'};
          if (wish !== undefined) {
            options.method = 'POST';
            options.headers['Content-Type'] = 'application/json';
            options.body = JSON.stringify(wish);
          }
          const answer = await fetch(path, options);
          if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
          return answer;
        }

        const get = async (path) => (await ask(path)).json();

        function trouble(error) {
          $('trouble').hidden = !error;
          if (!error) return;
          $('trouble').textContent = error instanceof Refused ? `${error.message} (${error.status} ${error.code || ''})` : 'The gateway doesn’t answer. What is shown may be old.';
          if (error instanceof Refused && error.status === 401) leave();
        }

        function leave() {
          token = null;
          session += 1;
          samples.length = 0;
          $('main').hidden = $('leave').hidden = true;
          $('enter').hidden = false;
          $('who').textContent = '';
          for (const table of document.querySelectorAll('main tbody')) table.replaceChildren();
          $('token').focus();
        }

        $('leave').addEventListener('click', () => { trouble(null); leave(); });

        $('enter').addEventListener('submit', async (event) => {
          event.preventDefault();
          token = $('token').value.trim();
          $('token').value = '';
          session += 1;
          const mine = session;
          try {
            const status = await get('/api/status');
            if (mine !== session) return;
            trouble(null);
            open(status);
          } catch (error) { trouble(error); }
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
          follow(session);
          every(2000, async () => { showStatus(await get('/api/status')); takeMetrics(await get('/api/metrics')); });
          every(5000, async () => { showUpstreams(await get('/api/upstreams')); showKeys(await get('/api/keys')); });
          every(10000, async () => showRouteRules(await get('/api/routes')));
          every(10000, search);
        }

        // Asks again and again while this token is in use; not while nobody looks.
        async function every(milliseconds, work) {
          const mine = session;
          while (mine === session) {
            try {
              if (!document.hidden) { await work(); if (mine === session) trouble(null); }
            } catch (error) { if (mine === session) trouble(error); }
            await new Promise((resolve) => setTimeout(resolve, milliseconds));
          }
        }

        // The log as it grows. A connection that ends is made anew, from the last entry on.
        async function follow(mine) {
          let last = 0;
          try {
            const page = await get('/api/log?limit=100');
            last = page.last;
            body('log').replaceChildren(...page.entries.map(logRow));
          } catch (error) { trouble(error); }
          while (mine === session) {
            try {
              const reader = (await ask(`/api/log?follow=true&after=${last}`)).body.pipeThrough(new TextDecoderStream()).getReader();
              $('following').textContent = 'live';
              let rest = '';
              for (;;) {
                const {value, done} = await reader.read();
                if (mine !== session) { reader.cancel(); return; }
                if (done) break;
                const lines = (rest + value).split('\n');
                rest = lines.pop();
                for (const line of lines) if (line) last = logged(JSON.parse(line));
              }
            } catch (error) { if (error instanceof Refused && mine === session) trouble(error); }
            $('following').textContent = 'connecting';
            await new Promise((resolve) => setTimeout(resolve, 1000));
          }
        }

        let pending = null;
        function logged(entry) {
          const table = body('log');
          table.prepend(logRow(entry));
          while (table.rows.length > 200) table.lastChild.remove();
          clearTimeout(pending);
          pending = setTimeout(() => search().catch(trouble), 200);
          return entry.number;
        }

        function logRow(entry) {
          return row([
            [entry.number, 'n'], [local(entry.at), 't'], [entry.user, 'id'], [entry.tenant ?? 'all', 'id'], entry.directory,
            [entry.to, entry.to === 'suspended' ? 'bad' : 'good'], `${entry.source} (${entry.learned})`, entry.actor, [entry.reason ?? '', 'wrap']]);
        }

        document.addEventListener('keydown', (event) => {
          if (event.key !== '/' || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || $('main').hidden) return;
          event.preventDefault();
          $('search').elements.user.focus();
        });

        $('token').focus();

        """#
}
