extension AdminPage {
    /// What goes on the page: the second half of its program.
    static let scriptOfTables = #"""
        // Health.
        function showReconcile(directories) {
          $('reconcile-section').hidden = directories.length === 0;
          fill('reconcile', directories.map(({name, reconcile: run}) => row([
            name, [local(run.at), 't'], [run.words ?? 'no run yet', (run.ending ?? 'done') === 'done' ? 'wrap' : 'wrap warn'],
            [run.running ? 'its end' : run.ending === 'asks' ? 'an operator’s yes' : run.next ? local(run.next) : 'being asked for', 't']])), 4, '');
        }

        function showStatus(status) {
          const attention = status.notices.length > 0 || status.ledger.unconfirmed_users > 0;
          $('health').className = !status.ready ? 'bad' : attention ? 'warn' : 'good';
          $('verdict').textContent = !status.ready ? 'Not ready' : attention ? 'Serving; something needs a look' : 'Healthy';
          $('reasons').replaceChildren(...status.reasons.map((text) => element('li', text, 'bad')), ...status.notices.map((text) => element('li', text)));
          $('who').textContent = `${status.version} · up ${span(status.uptime_seconds)} · ${status.token.name} (${status.token.role})`;
          showReconcile(status.directories.filter((each) => each.reconcile));
          figures.connections = status.client_connections.toLocaleString('en');
          figures.suspended = status.directories.reduce((sum, each) => sum + each.suspended_users, 0).toLocaleString('en');
          figures.unknown = status.ledger.unconfirmed_users.toLocaleString('en');
          figures.ledger = status.ledger.writable ? 'writable' : 'NOT WRITABLE';
          showFigures();
        }

        const figures = {};
        const history = {requests: [], refused: []};
        const labels = [
          ['requests', 'requests per s'], ['refused', 'refused per s'], ['servers', 'servers that are well'], ['suspended', 'suspended users'],
          ['unknown', 'outcomes unknown'], ['connections', 'client connections'], ['ledger', 'ledger']];

        function showFigures() {
          $('figures').replaceChildren(...labels.filter(([key]) => figures[key] !== undefined).map(([key, label]) => {
            const group = element('div');
            const value = element('dd', figures[key], key === 'ledger' && figures.ledger !== 'writable' ? 'bad' : undefined);
            if (history[key] && history[key].length > 2) value.append(line(history[key], key === 'refused' ? 'bad' : ''));
            group.append(element('dt', label), value);
            return group;
          }));
        }

        function line(values, className) {
          const space = 'http://www.w3.org/2000/svg';
          const most = Math.max(...values, 0.1);
          const svg = document.createElementNS(space, 'svg');
          svg.setAttribute('viewBox', '0 0 150 30');
          svg.setAttribute('preserveAspectRatio', 'none');
          svg.setAttribute('aria-hidden', 'true');
          const path = document.createElementNS(space, 'polyline');
          path.setAttribute('points', values.map((value, index) => `${150 * index / (values.length - 1)},${29 - 28 * value / most}`).join(' '));
          if (className) path.setAttribute('class', className);
          svg.append(path);
          return svg;
        }

        // Counts, and what they came to in the last minute.
        function takeMetrics(metrics) {
          const previous = samples[samples.length - 1];
          if (previous && total(metrics.requests) < total(previous.requests)) samples.length = 0;   // another process
          samples.push(metrics);
          while (samples.length > 2 && metrics.time_ms - samples[1].time_ms >= windowMilliseconds) samples.shift();
          const first = samples[0];
          const seconds = (metrics.time_ms - first.time_ms) / 1000;
          const all = differences(first.requests, metrics.requests, (each) => `${each.route} ${each.code} ${each.status}`, seconds);
          $('window').textContent = seconds > 0 ? `Rates of the last ${span(seconds)}.` : 'Rates come with the next look.';
          const isRefusal = (each) => each.code !== '-' && each.code !== 'client_closed';
          if (previous) {
            const step = (metrics.time_ms - previous.time_ms) / 1000 || 1;
            note('requests', (total(metrics.requests) - total(previous.requests)) / step);
            note('refused', (total(metrics.requests.filter(isRefusal)) - total(previous.requests.filter(isRefusal))) / step);
          }
          showRefused(all.filter(isRefusal), differences(first.observed, metrics.observed, (each) => `${each.route} ${each.code} ${each.status}`, seconds));
          showRoutes(all, isRefusal, first, metrics);
          showTenants(differences(first.tenants, metrics.tenants, (each) => `${each.tenant} ${each.code}`, seconds), isRefusal);
          showFigures();
        }

        const total = (rows) => rows.reduce((sum, each) => sum + each.count, 0);

        function note(key, rate) {
          figures[key] = number(rate);
          history[key].push(rate);
          if (history[key].length > 150) history[key].shift();
        }

        function differences(before, after, key, seconds) {
          const old = new Map(before.map((each) => [key(each), each.count]));
          return after.map((each) => ({...each, rate: seconds > 0 ? (each.count - (old.get(key(each)) ?? 0)) / seconds : 0}));
        }

        function showRefused(refused, observed) {
          const order = (left, right) => right.rate - left.rate || right.count - left.count;
          const rows = [...refused].sort(order).slice(0, 50).map((each) => row([
            [each.code, each.rate > 0 ? 'bad' : ''], [each.route, 'id'], [each.status, 'n'], [number(each.rate), 'n'], [each.count.toLocaleString('en'), 'n']]));
          const watched = [...observed].sort(order).slice(0, 20).map((each) => row([
            [`${each.code} (observed only)`, 'warn'], [each.route, 'id'], [each.status, 'n'], [number(each.rate), 'n'], [each.count.toLocaleString('en'), 'n']]));
          fill('refused', [...rows, ...watched], 5, 'Nobody has been refused since the start.');
        }

        // Latency: the bucket's bound below which that part of the requests was.
        function within(buckets, bounds, part) {
          const sum = buckets.reduce((left, right) => left + right, 0);
          if (sum === 0) return '';
          let seen = 0;
          const index = buckets.findIndex((count) => (seen += count) >= sum * part);
          if (index >= bounds.length) return `> ${bounds[bounds.length - 1] / 1e6} s`;
          const bound = bounds[index];
          return bound < 1000 ? `${bound} µs` : bound < 1e6 ? `${bound / 1000} ms` : `${bound / 1e6} s`;
        }

        const rules = new Map();

        function showRoutes(all, isRefusal, first, metrics) {
          const before = new Map(first.durations.map((each) => [each.route, each.buckets]));
          const routes = metrics.durations.map(({route, buckets}) => {
            const mine = all.filter((each) => each.route === route);
            let recent = buckets.map((count, index) => count - (before.get(route)?.[index] ?? 0));
            if (recent.every((count) => count === 0)) recent = buckets;
            const sum = (rows) => rows.reduce((left, each) => left + each.rate, 0);
            return {route, recent, rate: sum(mine), refused: sum(mine.filter(isRefusal)), count: total(mine)};
          });
          routes.sort((left, right) => right.rate - left.rate || right.count - left.count);
          fill('routes', routes.map((each) => row([
            [each.route === '-' ? 'no route' : each.route, 'id'], [number(each.rate), 'n'], [number(each.refused), each.refused > 0 ? 'n bad' : 'n'],
            [within(each.recent, metrics.bounds_us, .5), 'n'], [within(each.recent, metrics.bounds_us, .99), 'n'], [rules.get(each.route) ?? '', 'wrap']])), 6, 'No routes.');
        }

        function showRouteRules({routes}) {
          rules.clear();
          for (const each of routes) {
            const name = (each.host ?? '') + each.path;
            const rule = each.mode === 'observe' ? `OBSERVES until ${each.observe_until}`
              : [`credential ${each.credential}`, each.tenant !== '-' && `tenant ${each.tenant}`, each.require !== '-' && `require ${each.require}`].filter(Boolean).join(', ');
            rules.set(name, rules.has(name) && rules.get(name) !== rule ? `${rules.get(name)}; ${rule}` : rule);
          }
        }

        function showTenants(rows, isRefusal) {
          $('tenants-section').hidden = rows.length === 0;
          const tenants = new Map();
          for (const each of rows) {
            const tenant = tenants.get(each.tenant) ?? {rate: 0, refused: 0, codes: []};
            tenant.rate += each.rate;
            if (isRefusal(each)) { tenant.refused += each.rate; tenant.codes.push(each.code); }
            tenants.set(each.tenant, tenant);
          }
          const sorted = [...tenants].sort((left, right) => right[1].refused - left[1].refused || right[1].rate - left[1].rate).slice(0, 50);
          fill('tenants', sorted.map(([name, each]) => row([
            [name, 'id'], [number(each.rate), 'n'], [number(each.refused), each.refused > 0 ? 'n bad' : 'n'], [each.codes.join(', '), 'wrap']])), 4, 'None yet.');
        }

        function showUpstreams({upstreams}) {
          const servers = upstreams.flatMap((each) => each.servers.map((server) => ({...server, upstream: each})));
          figures.servers = `${servers.filter((each) => each.serving).length} of ${servers.length}`;
          fill('upstreams', servers.map((each) => row([
            [each.server, 'id'], each.upstream.circuit_open ? ['circuit open', 'bad'] : each.serving ? ['well', 'good'] : ['left out', 'bad'],
            each.upstream.name, [each.upstream.busy, 'n'], [each.upstream.waiting, 'n'], [each.ejections, 'n']])), 6, 'No upstreams.');
        }

        function showKeys({issuers, issuer_count: count}) {
          const rows = issuers.map((each) => row([
            each.issuer ?? 'no issuer', each.directory, [each.keys.map((key) => key.kid ?? key.type).join(', '), 'wrap'],
            [each.age_seconds === undefined ? 'file' : span(each.age_seconds), 'n'],
            !each.available ? [`none: ${each.error ?? 'not fetched'}`, 'bad'] : each.error ? [`old: ${each.error}`, 'warn'] : ['good', 'good']]));
          if (count > issuers.length) rows.push(row([`and ${count - issuers.length} more`, '', '', '', '']));
          fill('keys', rows, 5, 'No credentials: no token is taken.');
        }

        // Suspensions.
        function whom(each) { return `${each.user} in ${each.tenant ? `tenant ${each.tenant}` : 'all tenants'} of ${each.directory}`; }

        function liftButton(each, source) {
          const button = element('button', source ? 'Lift' : 'Settle');
          button.type = 'button';
          button.hidden = role !== 'operator';
          button.setAttribute('aria-label', `${button.textContent} ${whom(each)}`);
          button.addEventListener('click', () => lift(each, source));
          return button;
        }

        function blockRow(each) {
          return row([
            liftButton(each, each.source), [each.user, 'id'], [each.tenant ?? 'all', 'id'], each.directory, `${each.source} (${each.learned})`,
            [local(each.at), 't'], [each.reason ?? '', 'wrap']]);
        }

        function query(more) {
          const parameters = new URLSearchParams({limit: '100'});
          for (const name of ['user', 'tenant', 'directory', 'source']) {
            const value = $('search').elements[name].value.trim();
            if (value) parameters.set(name, value);
          }
          if (more) parameters.set('cursor', more);
          return `/api/suspensions?${parameters}`;
        }

        // A page may be empty and not be the last: then the next one is looked at, a few times.
        async function pages(more) {
          const found = [];
          for (let turn = 0; turn < 20; turn += 1) {
            const page = await get(query(more));
            found.push(...page.suspensions);
            more = page.next;
            if (found.length >= 100 || !more) break;
          }
          return [found, more];
        }

        async function search() {
          const [found, next] = await pages(null);
          fill('blocks', found.map(blockRow), 7, 'Nobody.');
          cursor = next;
          $('more').hidden = !next;
          const {calls} = await get('/api/unconfirmed');
          $('unconfirmed').hidden = calls.length === 0;
          body('unconfirmed').replaceChildren(...calls.map((each) => row([
            liftButton(each), each.unconfirmed, [each.user, 'id'], [each.tenant ?? 'all', 'id'], each.directory, each.caller, [each.cause, 'wrap'],
            [local(each.at), 't']])));
        }

        $('search').addEventListener('submit', (event) => { event.preventDefault(); search().then(() => trouble(null), trouble); });

        $('more').addEventListener('click', async () => {
          try {
            const [found, next] = await pages(cursor);
            body('blocks').append(...found.map(blockRow));
            cursor = next;
            $('more').hidden = !next;
          } catch (error) { trouble(error); }
        });

        function done(text, isBad) {
          $('done').textContent = text;
          $('done').className = isBad ? 'bad' : 'good';
        }

        async function change(path, wish, say) {
          done('…');
          try {
            done(say(await (await ask(path, wish)).json()));
            await search();
            return true;
          } catch (error) {
            done(error instanceof Refused ? `${error.message} (${error.code})` : 'The gateway doesn’t answer: look whether it was done before you repeat it.', true);
            if (error.status === 401) trouble(error);
            return false;
          }
        }

        $('add').addEventListener('submit', async (event) => {
          event.preventDefault();
          const form = event.target.elements;
          const wish = {directory: form.directory.value, user: form.user.value.trim(), reason: form.reason.value.trim()};
          if (form.tenant.value.trim()) wish.tenant = form.tenant.value.trim();
          const isDone = await change('/api/suspensions', wish, ({changed}) =>
            changed ? `${whom(wish)} is blocked now: on every loop, open work cut, and on disk.` : `${whom(wish)} was blocked by an operator already.`);
          if (isDone) form.user.value = '';
        });

        function lift(each, source) {
          const dialog = $('lift');
          const reason = dialog.querySelector('input');
          $('lift-title').textContent = source ? `Lift the block of ${source}` : 'Settle: the user is not blocked';
          $('lift-whom').textContent = whom(each);
          reason.value = '';
          dialog.returnValue = '';
          dialog.addEventListener('close', () => {
            if (dialog.returnValue !== 'lift') return;
            const wish = {directory: each.directory, user: each.user, reason: reason.value.trim()};
            if (each.tenant) wish.tenant = each.tenant;
            // Settling a call whose outcome is unknown leaves an operator's block alone.
            wish.source = source ?? 'upstream';
            change('/api/suspensions/lift', wish, ({stands}) =>
              `${whom(each)}: ${source ? 'lifted' : 'settled'}.` + (stands.length ? ` STILL REFUSED: ${stands.map((left) => `${left.tenant ? `in tenant ${left.tenant}` : 'in all tenants'} by ${left.source}`).join(', ')}.` : ''));
          }, {once: true});
          dialog.showModal();
        }

        """#
}
