/** The page's style sheet: system fonts, both colour schemes, printable. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5d6875;--line:#dfe3e8;--accent:#0072b2}
@media (prefers-color-scheme:dark){:root{--bg:#12161b;--card:#1b2129;--ink:#e8ecf1;--soft:#9aa5b1;--line:#2d3540;--accent:#56b4e9}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:18px;margin:36px 0 12px}
.quiet,figcaption,.sub{color:var(--soft)}.sub{margin:0 0 20px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:0}
.facts div,.card,.frame{background:var(--card);border:1px solid var(--line);border-radius:10px}
.facts div{padding:12px 14px}.facts dt{color:var(--soft);font-size:13px}.facts dd{margin:2px 0 0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.card{padding:14px 16px;overflow-x:auto}.warn{border-left:4px solid #d55e00}
.frames{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:14px}
.frame{margin:0;overflow:hidden}.frame svg{display:block;width:100%;height:auto;background:#000}.frame figcaption{padding:6px 12px;font-size:13px}
.tag{font-family:system-ui,sans-serif;font-weight:600}
.timeline{width:100%;min-width:640px;height:auto;display:block}.timeline text{fill:var(--ink);font-size:13px}.timeline .axis{fill:var(--soft);font-size:11px}
.tick{stroke:var(--line)}.span{stroke:var(--soft);stroke-dasharray:2 3}.mark{fill:var(--card);stroke:var(--ink);stroke-width:2}
.missing,.gap{fill:#d55e00;background:#d55e00}.missing{fill-opacity:.35;stroke:#d55e00;stroke-dasharray:3 3}
.legend{display:flex;flex-wrap:wrap;gap:6px 16px;margin:10px 0 0;padding:0;list-style:none;font-size:13px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500;font-size:13px}tr:last-child td{border-bottom:0}td.n,th.n{text-align:right}
.thumb{width:132px;border-radius:6px;display:block}.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
@media print{body{background:#fff}.frame,.card{break-inside:avoid}}
`.trim();
