extension AdminPage {
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>tenantgate</title>
        <link rel="icon" href="/icon.svg">
        <link rel="stylesheet" href="/app.css">
        <script src="/app.js" defer></script>
        </head>
        <body>
        <a class="skip" href="#suspensions">Skip to the suspensions</a>
        <header>
          <h1>tenantgate</h1>
          <p id="who"></p>
          <button id="leave" type="button" hidden>Forget the token</button>
        </header>
        <form id="enter">
          <label for="token">Admin token</label>
          <input id="token" type="password" autocomplete="off" spellcheck="false" required aria-describedby="token-hint token-problem">
          <button type="submit">Open</button>
          <p id="token-problem" class="bad" role="alert"></p>
          <p class="hint" id="token-hint">One of the file's <code>admin.tokens</code>. It stays in this page's memory only: a reload forgets it.</p>
        </form>
        <p id="trouble" role="alert" hidden></p>
        <main id="main" hidden>
          <section id="health" aria-labelledby="verdict">
            <h2 id="verdict" aria-live="polite" tabindex="-1">…</h2>
            <p id="summary"></p>
            <ul id="reasons"></ul>
            <dl id="figures"></dl>
          </section>

          <section id="fleet-section" aria-labelledby="fleet-title" hidden>
            <h2 id="fleet-title">Fleet</h2>
            <p class="hint" id="fleet-words"></p>
            <div class="scroll"><table id="fleet" role="table">
              <thead><tr><th>Gateway</th><th>State</th><th class="n">Changes behind</th><th class="n">Last word</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section aria-labelledby="refused-title" class="wide">
            <h2 id="refused-title">Who is refused, and why</h2>
            <div class="scroll"><table id="refused" role="table">
              <thead><tr><th>Why</th><th>Route</th><th class="n">Status</th><th class="n">Last minute</th><th class="n">Since the start</th></tr></thead>
              <tbody></tbody>
            </table></div>
            <p class="hint" id="window"></p>
          </section>

          <section id="tenants-section" aria-labelledby="tenants-title" class="wide" hidden>
            <h2 id="tenants-title">Tenants</h2>
            <div class="scroll"><table id="tenants" role="table">
              <thead><tr><th>Tenant</th><th class="n">Requests per s</th><th class="n">Refused per s</th><th>Refused with</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section id="suspensions" aria-labelledby="suspensions-title" class="wide" tabindex="-1">
            <h2 id="suspensions-title">Suspensions</h2>
            <div id="unconfirmed" hidden>
              <h3>Outcome unknown: repeat the call, or settle it by hand</h3>
              <div class="scroll"><table role="table">
                <thead><tr><td></td><th>Asked for</th><th>User</th><th>By</th><th>Cause</th><th>Since</th></tr></thead>
                <tbody></tbody>
              </table></div>
              <p class="hint" id="unconfirmed-more"></p>
            </div>
            <form id="add" class="change">
              <h3>Suspend by hand</h3>
              <label>Directory <select name="directory" required></select></label>
              <label>Tenant <input name="tenant" placeholder="all tenants" spellcheck="false" autocomplete="off"></label>
              <label>User <input name="user" required spellcheck="false" autocomplete="off"></label>
              <label>Reason <input name="reason" required maxlength="1024" placeholder="INC-4711" autocomplete="off"></label>
              <button type="submit" class="danger">Suspend</button>
            </form>
            <p id="done" role="status"></p>
            <form id="search">
              <h3>Who is suspended</h3>
              <label>User <input name="user" spellcheck="false" autocomplete="off" aria-keyshortcuts="/"></label>
              <label>Tenant <input name="tenant" spellcheck="false" autocomplete="off"></label>
              <label>Directory <select name="directory"><option value="">all</option></select></label>
              <label>Source <select name="source"><option value="">both</option><option>operator</option><option>upstream</option></select></label>
              <button type="submit">Search</button>
            </form>
            <div class="scroll"><table id="blocks" role="table">
              <thead><tr><td></td><th>User</th><th>Source</th><th>Since</th><th>Reason</th></tr></thead>
              <tbody></tbody>
            </table></div>
            <p class="more"><button id="more" type="button" hidden>More</button> <span id="count" class="hint"></span></p>
          </section>

          <section aria-labelledby="log-title" class="wide">
            <h2 id="log-title">Log <small id="following"></small></h2>
            <div class="scroll tall" tabindex="0" aria-labelledby="log-title"><table id="log" role="table">
              <thead><tr><th class="n">No.</th><th>Time</th><th>User</th><th>Became</th><th>Source</th><th>By</th><th>Reason</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section aria-labelledby="routes-title" class="wide">
            <h2 id="routes-title">Routes</h2>
            <div class="scroll"><table id="routes" role="table">
              <thead><tr><th>Route</th><th class="n">Requests per s</th><th class="n">Refused per s</th><th class="n">Half within</th><th class="n">99 % within</th><th>Enforces</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section aria-labelledby="upstreams-title">
            <h2 id="upstreams-title">Upstreams</h2>
            <div class="scroll"><table id="upstreams" role="table">
              <thead><tr><th>Server</th><th>State</th><th>Upstream</th><th class="n">Busy</th><th class="n">Waiting</th><th class="n">Left out</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section id="reconcile-section" aria-labelledby="reconcile-title" class="wide" hidden>
            <h2 id="reconcile-title">Compared with the services</h2>
            <div class="scroll"><table id="reconcile" role="table">
              <thead><tr><th>Directory</th><th>Last run</th><th>It came to</th><th>Waits for</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>

          <section aria-labelledby="keys-title">
            <h2 id="keys-title">Keys</h2>
            <div class="scroll"><table id="keys" role="table">
              <thead><tr><th>Issuer</th><th>Directory</th><th>Keys</th><th class="n">Age</th><th>State</th></tr></thead>
              <tbody></tbody>
            </table></div>
          </section>
        </main>

        <dialog id="lift" aria-labelledby="lift-title">
          <form method="dialog">
            <h2 id="lift-title">Lift</h2>
            <p id="lift-whom"></p>
            <label>Reason <input name="reason" required maxlength="1024" autocomplete="off"></label>
            <p class="buttons"><button type="submit" value="lift" class="danger">Lift</button> <button type="submit" value="" formnovalidate>Cancel</button></p>
          </form>
        </dialog>
        <noscript>This page asks the admin API by a program of its own: allow scripts for this address.</noscript>
        </body>
        </html>

        """#
}
