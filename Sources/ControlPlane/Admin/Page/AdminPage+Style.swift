extension AdminPage {
    static let style = #"""
        :root {
          color-scheme: light dark;
          --ground: light-dark(#f6f7f9, #14171b); --card: light-dark(#fff, #1c2026); --ink: light-dark(#1a2028, #e6e9ee);
          --soft: light-dark(#586273, #9aa5b5); --line: light-dark(#dde2e9, #323943); --good: light-dark(#1d7044, #5ecb8f);
          --bad: light-dark(#b3261e, #ff8a80); --warn: light-dark(#8a5a00, #f0c05a); --link: light-dark(#1f5fa8, #7db6f5);
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
        header { display: flex; align-items: center; gap: 1rem; padding: .6rem 1rem; border-bottom: 1px solid var(--line); background: var(--card); }
        header h1 { font-size: 1.1rem; margin: 0; }
        header p { margin: 0 auto 0 0; color: var(--soft); font-size: .9rem; min-width: 0; overflow-wrap: anywhere; }
        header button { white-space: nowrap; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: .5rem; top: .5rem; background: var(--card); padding: .4rem .6rem; }
        main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; padding: 1rem; max-width: 90rem; margin: 0 auto; align-items: start; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; min-width: 0; }
        section.wide, #health { grid-column: 1 / -1; }
        h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
        h3 { font-size: .95rem; margin: 0; flex-basis: 100%; }
        small, .hint { color: var(--soft); font-weight: normal; }
        .hint { margin: .2rem 0 .5rem; font-size: .88rem; }
        #health { border-left: 6px solid var(--soft); color: var(--ink); }
        #health.good { border-left-color: var(--good); } #health.good h2 { color: var(--good); }
        #health.warn { border-left-color: var(--warn); } #health.warn h2 { color: var(--warn); }
        #health.bad { border-left-color: var(--bad); } #health.bad h2 { color: var(--bad); }
        #health h2 { font-size: 1.4rem; margin: 0; }
        #summary { margin: .15rem 0; font-size: 1.05rem; } #summary:empty { display: none; }
        #reasons { margin: .3rem 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
        #reasons:empty { display: none; }
        #figures { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: .6rem 0 0; }
        #figures div { display: flex; flex-direction: column; }
        #figures dt { color: var(--soft); font-size: .85rem; }
        #figures dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
        #figures svg { display: block; width: 9rem; height: 1.9rem; margin-top: .2rem; }
        polyline { fill: none; stroke: var(--link); stroke-width: 1.5; } polyline.bad { stroke: var(--bad); }
        .scroll { overflow-x: auto; } .tall { max-height: 22rem; overflow-y: auto; }
        .scroll:focus-visible { outline: 2px solid var(--link); }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; }
        th { text-align: left; color: var(--soft); font-weight: 600; white-space: nowrap; position: sticky; top: 0; background: var(--card); }
        th, td { padding: .28rem .8rem .28rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        td { font-variant-numeric: tabular-nums; unicode-bidi: plaintext; white-space: nowrap; }
        td.wrap { white-space: normal; overflow-wrap: break-word; min-width: 8rem; max-width: 32rem; } td.id { font-family: ui-monospace, monospace; font-size: .82rem; }
        th.n, td.n { text-align: right; }
        tr:last-child td { border-bottom: 0; }
        td.none { color: var(--soft); text-align: left; }
        td small { display: block; font-family: system-ui, sans-serif; }
        .more { margin: .5rem 0 0; } .more:has(button[hidden]):has(span:empty) { display: none; }
        .bad { color: var(--bad); } .good { color: var(--good); } .warn { color: var(--warn); }
        form { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: end; margin: .4rem 0 .8rem; }
        label { display: flex; flex-direction: column; font-size: .85rem; color: var(--soft); flex: 1 1 11rem; max-width: 24rem; }
        input, select, button { font: inherit; padding: .35rem .5rem; border: 1px solid var(--line); border-radius: 4px; background: var(--ground); color: var(--ink); }
        button { cursor: pointer; } button.danger { border-color: var(--bad); color: var(--bad); }
        thead td { min-width: 0; }
        td button { padding: .05rem .5rem; }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
        #enter { max-width: 44rem; margin: 2rem auto; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; align-items: center; }
        #enter label { flex: 0 0 auto; color: var(--ink); font-size: 1rem; } #enter input { flex: 1 1 14rem; } #enter p { flex-basis: 100%; margin: 0; }
        #trouble { margin: 1rem auto; max-width: 88rem; padding: .5rem 1rem; color: var(--bad); border: 1px solid var(--bad); border-radius: 6px; background: var(--card); }
        #trouble[hidden], form[hidden], [hidden] { display: none; }
        #done { margin: 0 0 .6rem; overflow-wrap: anywhere; } #done:empty { margin: 0; }
        #token-problem:empty { display: none; }
        #unconfirmed { border: 1px solid var(--warn); border-radius: 6px; padding: .5rem .8rem; margin-bottom: .8rem; } #unconfirmed h3 { color: var(--warn); }
        dialog { color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px; max-width: min(36rem, 92vw); }
        dialog::backdrop { background: rgb(0 0 0 / .45); } dialog form { flex-direction: column; align-items: stretch; }
        dialog label { flex: none; max-width: none; } dialog p { margin: .2rem 0; overflow-wrap: anywhere; } .buttons { text-align: right; }
        h2:focus { outline: none; }
        @media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); padding: .5rem; gap: .5rem; } label { max-width: none; } }
        @media (max-width: 40rem) {
          header { padding: .4rem .6rem; gap: .6rem; } section { padding: .6rem .7rem; }
          label { flex-basis: 8rem; } form button { flex: 1 0 auto; }
          #figures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .4rem .8rem; } #figures dt { line-height: 1.2; }
          td:not(.id, .wrap) small { display: inline; }
          #figures dd { font-size: 1.1rem; } #figures svg { width: 6rem; height: 1.2rem; }
          table, tbody, tr { display: block; } thead { display: none; }
          tr { display: flex; flex-wrap: wrap; gap: .1rem .8rem; padding: .4rem 0; border-bottom: 1px solid var(--line); align-items: baseline; }
          td, th.n, td.n { border: 0; padding: 0; text-align: left; min-width: 0; white-space: normal; overflow-wrap: anywhere; }
          td.id, td.wrap { flex: 1 1 100%; max-width: none; } td.do { order: 9; margin-left: auto; }
          td:empty { display: none; }
          td:not(.id, .do, .none)::before { content: attr(data-title) " "; color: var(--soft); font-size: .82rem; }
          #refused td.wrap::before { content: none; }
        }

        """#
}
