extension AdminPage {
    /// Who is suspended, what is changed by hand, and the log as it grows: the last part of the page's program.
    static let scriptOfSuspensions = #"""
        const pageRows = 100;
        const mostRows = 2000;                 // beyond it one searches
        let blocks = [];                       // those on the page, in the list's order
        let cursor = null;
        let wanted = pageRows;
        let filter = {};                       // what was searched for; not what is being typed
        let searches = 0;                      // goes up with each: an answer that comes late for an earlier one is dropped

        function forgetSuspensions() { [blocks, cursor, wanted, filter] = [[], null, pageRows, {}]; clearTimeout(pending); }

        const where = (each) => `${each.tenant ? `tenant ${each.tenant}` : 'all tenants'} of ${each.directory}`;
        const whom = (each) => plain(`${each.user} in ${where(each)}`);
        const keyOf = (each) => JSON.stringify([each.directory, each.tenant, each.user, each.source ?? each.at]);

        // `each` is looked up when it is pressed: the row may have been filled anew since.
        function liftButton(each, source) {
          const button = element('button', source ? 'Lift' : 'Settle');
          button.type = 'button';
          button.hidden = role !== 'operator';
          button.setAttribute('aria-label', `${button.textContent} ${whom(each)}`);
          button.addEventListener('click', () => lift(each, source));
          return button;
        }

        function showBlocks() {
          fill('blocks', blocks.map((each) => ({
            key: keyOf(each), make: () => liftButton(each, each.source),
            cells: [[each.user, 'id', where(each)], [each.source, each.contested ? 'bad' : '', each.contested ? `${each.learned}, contested` : each.learned], [local(each.at), 't'], [each.reason ?? '', 'wrap']]})), 'Nobody.');
          $('more').hidden = !cursor || blocks.length >= mostRows;
          say($('count'), !cursor ? '' : blocks.length >= mostRows ? `The first ${blocks.length.toLocaleString('en')}: search for the others.` : `The first ${blocks.length.toLocaleString('en')}.`);
        }

        function query(after, rows) {
          return `/api/suspensions?${new URLSearchParams({limit: String(Math.min(rows, 1000)), ...filter, ...(after ? {cursor: after} : {})})}`;
        }

        // A page may be empty and not be the last: then the next one is looked at, a few times.
        async function pages(after, rows) {
          const found = [];
          for (let turn = 0; turn < 20; turn += 1) {
            const page = await get(query(after, rows - found.length));
            found.push(...page.suspensions);
            after = page.next;
            if (found.length >= rows || !after) break;
          }
          return [found, after];
        }

        // As many rows as there are on the page, and what is on top of them.
        async function refresh() {
          const mine = searches += 1;
          const [found, next] = await pages(null, wanted);
          if (mine !== searches) return;
          [blocks, cursor] = [found, next];
          showBlocks();
          const {calls, more, unconfirmed_users: users} = await get('/api/unconfirmed');
          $('unconfirmed').hidden = calls.length === 0;
          fill('unconfirmed', calls.map((each) => ({
            key: keyOf(each), make: () => liftButton(each),
            cells: [each.unconfirmed, [each.user, 'id', where(each)], [each.caller, 'wrap'], [each.cause, 'wrap'], [local(each.at), 't']]})));
          say($('unconfirmed-more'), more ? `The newest ${calls.length} of ${users.toLocaleString('en')} users.` : '');
        }

        $('search').addEventListener('submit', (event) => {
          event.preventDefault();
          filter = {};
          for (const name of ['user', 'tenant', 'directory', 'source']) {
            const value = $('search').elements[name].value.trim();
            if (value) filter[name] = value;
          }
          wanted = pageRows;
          refresh().then(() => trouble('suspensions', null), (error) => trouble('suspensions', error));
        });

        $('more').addEventListener('click', async () => {
          const mine = searches += 1;
          try {
            const [found, next] = await pages(cursor, pageRows);
            if (mine !== searches) return;
            const known = new Set(blocks.map(keyOf));
            blocks.push(...found.filter((each) => !known.has(keyOf(each))));
            cursor = next;
            wanted = Math.min(Math.max(blocks.length, wanted + pageRows), mostRows);
            const isLast = $('more') === document.activeElement && (!cursor || blocks.length >= mostRows);
            showBlocks();
            if (isLast) body('blocks').querySelector('tr:last-child button')?.focus();
          } catch (error) { trouble('suspensions', error); }
        });

        function done(text, isBad) {
          say($('done'), plain(text));
          $('done').className = isBad ? 'bad' : 'good';
        }

        let isChanging = false;

        async function change(path, wish, words) {
          if (isChanging) return false;
          isChanging = true;
          done('…');
          try {
            done(words(await get(path, wish)));
          } catch (error) {
            if (error instanceof Gone) return false;
            done(error instanceof Refused ? `${error.message} (${error.code})` : 'The gateway doesn’t answer: look whether it was done before you repeat it.', true);
            if (error.status === 401) trouble('change', error);
            return false;
          } finally { isChanging = false; }
          await refresh().catch((error) => trouble('suspensions', error));
          return true;
        }

        $('add').addEventListener('submit', async (event) => {
          event.preventDefault();
          const form = event.target.elements;
          const wish = {directory: form.directory.value, user: form.user.value.trim(), reason: form.reason.value.trim()};
          if (form.tenant.value.trim()) wish.tenant = form.tenant.value.trim();
          const isDone = await change('/api/suspensions', wish, (answer) =>
            (answer.changed ? `${whom(wish)} is blocked now: on every loop, open work cut, and on disk` : `${whom(wish)} was blocked by an operator already`) + reach(answer));
          if (isDone) form.user.value = '';
        });

        function reach({reach, fleet}) {
          if (!fleet) return '.';
          if (reach === 'fleet') return ', at every gateway of the fleet.';
          return fleet === 'joined' ? ', at this gateway; the others follow.'
            : '. ONLY AT THIS GATEWAY for now: the fleet’s database can’t be used. It reaches the others when that is back.';
        }

        function lift(each, source) {
          const dialog = $('lift');
          const reason = dialog.querySelector('input');
          $('lift-title').textContent = source ? `Lift the block of ${source}` : 'Settle: the user is not blocked';
          $('lift-whom').textContent = whom(each);
          reason.value = '';
          dialog.returnValue = '';
          dialog.addEventListener('close', () => {
            if (dialog.returnValue !== 'lift' || token === null) return;
            const wish = {directory: each.directory, user: each.user, reason: reason.value.trim()};
            if (each.tenant) wish.tenant = each.tenant;
            // Settling a call whose outcome is unknown leaves an operator's block alone.
            wish.source = source ?? 'upstream';
            change('/api/suspensions/lift', wish, ({lifted, settled, stands}) =>
              `${whom(each)}: ${lifted.length ? 'lifted' : settled ? 'settled' : 'nothing was lifted'}.` + (stands.length ? ` STILL REFUSED: ${stands.map((left) => `${left.tenant ? `in tenant ${left.tenant}` : 'in all tenants'} by ${left.source}${left.contested ? ' (another gateway blocked the user at the same time: lift once more if you mean to)' : ''}`).join(', ')}.` : ''));
          }, {once: true});
          dialog.showModal();
        }

        // The log: its end, then what is added to it. A connection that ends is made anew; nothing is shown twice, and of a long gap only
        // the newest.
        const logRows = 200;
        let entries = [];
        let following = new AbortController();

        async function follow(mine) {
          entries = [];
          while (mine === session) {
            let wait = 1000;
            following = new AbortController();
            try {
              if (document.hidden) throw new Gone();
              const page = await get(`/api/log?limit=${logRows}`);
              entries = page.entries;
              showLog();
              await readLog(mine, page.last);
            } catch (error) {
              if (mine !== session) return;
              if (error instanceof Refused) {
                if (error.status === 401) return trouble('log', error);
                wait = 10000;   // too many follow it already: looked at now and then
              }
            }
            if (mine !== session) return;
            say($('following'), document.hidden ? 'paused' : wait > 1000 ? 'every 10 s' : 'connecting');
            await sleep(wait);
          }
        }

        async function readLog(mine, last) {
          const signal = AbortSignal.any([life.signal, following.signal]);
          const reader = (await ask(`/api/log?follow=true&after=${last}`, undefined, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
          say($('following'), 'live');
          for (let rest = '';;) {
            const {value, done: isOver} = await reader.read();
            if (mine !== session) { reader.cancel(); return; }
            if (isOver) return;
            const lines = (rest + value).split('\n');
            rest = lines.pop();
            const news = lines.filter(Boolean).map((each) => JSON.parse(each)).filter((each) => each.number > last);
            if (!news.length) continue;
            last = news[news.length - 1].number;
            entries = [...news.reverse(), ...entries].slice(0, logRows);
            showLog();
            clearTimeout(pending);
            pending = setTimeout(() => refresh().catch((error) => trouble('suspensions', error)), 200);
          }
        }

        let pending = null;

        function showLog() {
          fill('log', entries.map((each) => ({key: each.number, cells: [
            [each.number, 'n'], [local(each.at), 't'], [each.user, 'id', where(each)], [each.to, each.to === 'suspended' ? 'bad' : 'good'],
            [each.source, '', each.learned], [each.actor, 'wrap'], [each.reason ?? '', 'wrap']]})), 'Nothing yet.');
        }

        // A page that nobody looks at takes nobody's place among the followers.
        document.addEventListener('visibilitychange', () => { if (document.hidden) following.abort(); });

        document.addEventListener('keydown', (event) => {
          if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || $('main').hidden || $('lift').open) return;
          event.preventDefault();
          $('search').elements.user.focus();
        });

        $('token').focus();

        """#
}
