"""The look of the page, in one style sheet that the page carries itself (no other file, no other host)."""

STYLE = """
:root { color-scheme: light dark; --line: #d8dbe2; --soft: #667085; --card: #ffffff; --back: #f5f6f8; --ink: #1a1d24;
  --good: #1a7f4b; --warn: #a15c00; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --line: #2c313b; --soft: #98a2b3; --card: #191c22; --back: #101217;
  --ink: #e7e9ee; --good: #4cc38a; --warn: #f0a33e; --bad: #ff6b60; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--back); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; margin-bottom: 1rem; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 0 0 1rem;
  overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; }
th { color: var(--soft); font-weight: 500; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
meter { width: 10rem; height: .8rem; }
.soft { color: var(--soft); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
a { color: inherit; }
"""
