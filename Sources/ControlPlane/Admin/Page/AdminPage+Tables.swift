extension AdminPage {
    /// How the gateway stands, and who is refused and why: the second part of the page's program.
    static let scriptOfTables = #"""
        // Health.
        function showReconcile(directories) {
          $('reconcile-section').hidden = directories.length === 0;
          fill('reconcile', directories.map(({name, reconcile: run}) => ({key: name, cells: [
            [name, 'id'], [local(run.at), 't'], [run.words ?? 'no run yet', (run.ending ?? 'done') === 'done' ? 'wrap' : 'wrap warn'],
            [run.running ? 'its end' : run.ending === 'asks' ? 'an operator’s yes' : run.next ? local(run.next) : 'being asked for', 't']]})));
        }

        function showStatus(status) {
          const attention = status.notices.length > 0 || status.ledger.unconfirmed_users > 0;
          $('health').className = !status.ready ? 'bad' : attention ? 'warn' : 'good';
          say($('verdict'), !status.ready ? 'Not ready' : attention ? 'Serving; something needs a look' : 'Healthy');
          $('reasons').replaceChildren(...status.reasons.map((text) => element('li', text, 'bad')), ...status.notices.map((text) => element('li', text)));
          seen = new Date();
          $('who').textContent = `${status.version} · up ${span(status.uptime_seconds)} · ${status.token.name} (${status.token.role})`;
          showReconcile(status.directories.filter((each) => each.reconcile));
          figures.connections = status.client_connections.toLocaleString('en');
          figures.suspended = status.directories.reduce((sum, each) => sum + each.suspended_users, 0).toLocaleString('en');
          figures.unknown = status.ledger.unconfirmed_users.toLocaleString('en');
          figures.ledger = status.ledger.writable ? 'writable' : 'NOT WRITABLE';
          showFleet(status.fleet);
          showFigures();
        }

        // What was good when it was last heard of is no reason to show it as good now.
        let seen = new Date();

        function showSilence() {
          $('health').className = 'bad';
          say($('verdict'), `No answer; as it was at ${seen.toLocaleTimeString('sv')}`);
        }

        const windowMilliseconds = 60000;      // rates and counts are those of the last minute
        let samples = [];                      // what /api/metrics said in that time, the oldest first
        let figures = {};
        let history = {requests: [], refused: []};

        // Forgets all that was heard with a token.
        function forget() {
          [samples, figures, history] = [[], {}, {requests: [], refused: []}];
          rules.clear();
          forgetSuspensions();
        }

        let fleetIsWell = true;

        // The other gateways, and how far each is behind.
        function showFleet(fleet) {
          $('fleet-section').hidden = !fleet;
          if (!fleet) return;
          const live = fleet.gateways.filter((each) => each.live).length;
          fleetIsWell = fleet.link === 'joined' && !fleet.refusing;
          figures.fleet = fleet.link === 'joined' ? `${live} of ${fleet.gateways.length}` : fleet.link.toUpperCase();
          $('fleet-words').textContent = fleet.link === 'joined'
            ? `${fleet.unpublished} changes of this one not told the others, ${fleet.contested_users} users with calls that overlapped`
            : `Nothing is heard of the others for ${span(fleet.behind_seconds)}; ${fleet.unpublished} changes not told them. ${fleet.trouble ?? ''}`;
          fill('fleet', fleet.gateways.map((each) => ({key: each.name, cells: [
            [each.this ? `${each.name} (this one)` : each.name, 'id'], each.live ? ['counted on', 'good'] : ['gone', 'bad'],
            [each.behind >= 10000 ? '10,000 or more' : each.behind.toLocaleString('en'), each.behind > 0 ? 'n warn' : 'n'],
            [`${span(each.seen_seconds_ago)} ago`, 'n']]})), 'Nobody yet.');
        }

        const labels = [
          ['requests', 'requests per s'], ['refused', 'refused per s'], ['servers', 'servers that are well'], ['suspended', 'suspended users'],
          ['unknown', 'outcomes unknown'], ['connections', 'client connections'], ['ledger', 'ledger'],
          ['fleet', 'gateways of the fleet']];

        function showFigures() {
          $('figures').replaceChildren(...labels.filter(([key]) => figures[key] !== undefined).map(([key, label]) => {
            const group = element('div');
            const value = element('dd', figures[key], (key === 'ledger' && figures.ledger !== 'writable') || (key === 'fleet' && !fleetIsWell) ? 'bad' : undefined);
            group.append(value, element('dt', label));
            if (history[key] && history[key].length > 2) group.append(line(history[key], key === 'refused' ? 'bad' : ''));
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
          if (previous && total(metrics.requests) < total(previous.requests)) samples = [];   // another process
          samples.push(metrics);
          while (samples.length > 2 && metrics.time_ms - samples[1].time_ms >= windowMilliseconds) samples.shift();
          const first = samples[0];
          const seconds = (metrics.time_ms - first.time_ms) / 1000;
          const all = differences(first.requests, metrics.requests, (each) => `${each.route} ${each.code} ${each.status}`, seconds);
          const isRefusal = (each) => each.code !== '-' && each.code !== 'client_closed';
          const lately = seconds > 0 ? `the last ${span(seconds)}` : '';
          say($('window'), (lately ? `Counted in ${lately}. ` : '') + (metrics.tenants.length ? 'By tenant: below. ' : 'Which tenants: count them by metrics.tenants in the file. ') + 'Which request: the access log, by its X-Request-ID.');
          if (lately) summarize(all, isRefusal, lately);
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

        // The first thing that somebody who is called at night wants to know.
        function summarize(all, isRefusal, lately) {
          const sum = (rows) => rows.reduce((left, each) => left + each.recent, 0);
          const refused = all.filter((each) => isRefusal(each) && each.recent > 0);
          const codes = new Map();
          for (const each of refused) codes.set(each.code, (codes.get(each.code) ?? 0) + each.recent);
          const named = [...codes].sort((left, right) => right[1] - left[1]).slice(0, 4).map(([code, count]) => `${count.toLocaleString('en')} ${code}`);
          const requests = sum(all);
          say($('summary'), requests === 0 ? `No requests in ${lately}.`
            : `In ${lately}: ${requests.toLocaleString('en')} request${requests === 1 ? '' : 's'}, ` + (refused.length ? `${sum(refused).toLocaleString('en')} refused: ${named.join(', ')}${codes.size > 4 ? ', …' : ''}.` : 'none refused.'));
        }

        const total = (rows) => rows.reduce((sum, each) => sum + each.count, 0);

        function note(key, rate) {
          figures[key] = number(rate);
          history[key].push(rate);
          if (history[key].length > 150) history[key].shift();
        }

        function differences(before, after, key, seconds) {
          const old = new Map(before.map((each) => [key(each), each.count]));
          return after.map((each) => {
            const recent = seconds > 0 ? each.count - (old.get(key(each)) ?? 0) : 0;
            return {...each, recent, rate: seconds > 0 ? recent / seconds : 0};
          });
        }

        function showRefused(refused, observed) {
          const order = (left, right) => right.rate - left.rate || right.count - left.count;
          const line = (each, isWatched) => ({
            key: `${isWatched} ${each.code} ${each.route} ${each.status}`,
            cells: [
              [words[each.code] ?? each.code, 'wrap', each.code + (isWatched ? ', observed only: not refused' : '')], [each.route === '-' ? 'before a route was known' : each.route, 'id'],
              [each.status, 'n'], [each.recent.toLocaleString('en'), each.recent > 0 ? isWatched ? 'n warn' : 'n bad' : 'n'], [each.count.toLocaleString('en'), 'n']]});
          const rows = [...refused].sort(order).slice(0, 50).map((each) => line(each, false));
          const watched = [...observed].sort(order).slice(0, 20).map((each) => line(each, true));
          fill('refused', [...rows, ...watched], 'Nobody has been refused since the start.');
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
          fill('routes', routes.map((each) => ({key: each.route, cells: [
            [each.route === '-' ? 'no route' : each.route, 'id'], [number(each.rate), 'n'], [number(each.refused), each.refused > 0 ? 'n bad' : 'n'],
            [within(each.recent, metrics.bounds_us, .5), 'n'], [within(each.recent, metrics.bounds_us, .99), 'n'], [rules.get(each.route) ?? '', 'wrap']]})), 'No routes.');
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
          fill('tenants', sorted.map(([name, each]) => ({key: name, cells: [
            [name, 'id'], [number(each.rate), 'n'], [number(each.refused), each.refused > 0 ? 'n bad' : 'n'], [each.codes.join(', '), 'wrap']]})), 'None yet.');
        }

        function showUpstreams({upstreams}) {
          const servers = upstreams.flatMap((each) => each.servers.map((server) => ({...server, upstream: each})));
          figures.servers = `${servers.filter((each) => each.serving).length} of ${servers.length}`;
          fill('upstreams', servers.map((each) => ({key: `${each.upstream.name} ${each.server}`, cells: [
            [each.server, 'id'], each.upstream.circuit_open ? ['circuit open', 'bad'] : each.serving ? ['well', 'good'] : ['left out', 'bad'],
            each.upstream.name, [each.upstream.busy, 'n'], [each.upstream.waiting, 'n'], [each.ejections, 'n']]})), 'No upstreams.');
        }

        function showKeys({issuers, issuer_count: count}) {
          const rows = issuers.map((each, index) => ({key: index, cells: [
            each.issuer ?? 'no issuer', each.directory, [each.keys.map((key) => key.kid ?? key.type).join(', '), 'wrap'],
            [each.age_seconds === undefined ? 'file' : span(each.age_seconds), 'n'],
            !each.available ? [`none: ${each.error ?? 'not fetched'}`, 'bad'] : each.error ? [`old: ${each.error}`, 'warn'] : ['good', 'good']]}));
          if (count > issuers.length) rows.push({key: 'more', cells: [`and ${count - issuers.length} more`, '', '', '', '']});
          fill('keys', rows, 'No credentials: no token is taken.');
        }

        """#
}
