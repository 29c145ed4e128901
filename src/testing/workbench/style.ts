/** The style of all pages. Colours mean a state or an experience, and nothing else. */
export const STYLE = `:root{color-scheme:light dark;
--paper:#faf9f7;--card:#fff;--sunk:#f3f1ed;--line:#e2dfd8;--ink:#1c1e22;--soft:#5a5f69;--edge:#8d8a83;
--accent:#2b57c4;--on-accent:#fff;--yes:#146c43;--no:#b3261e;--warn:#7d5200;--yes-wash:#eaf5ef;--no-wash:#fbeeec;--warn-wash:#fbf3e2;
--s1:#2b57c4;--s2:#b4552d;--s3:#14746a;--s4:#8a3f8f;--s5:#7a6a12;--s6:#5a5f69}
@media (prefers-color-scheme:dark){:root{
--paper:#131519;--card:#1a1d22;--sunk:#0f1114;--line:#2b3038;--ink:#e7e8eb;--soft:#a4aab5;--edge:#7b818c;
--accent:#9db8ff;--on-accent:#131519;--yes:#6fd3a0;--no:#ff9a8f;--warn:#e8bd68;--yes-wash:#16261f;--no-wash:#2b1a19;--warn-wash:#29220f;
--s1:#8eaeff;--s2:#f0a07a;--s3:#5fc9bb;--s4:#d79bdc;--s5:#d3c15c;--s6:#a4aab5}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:1152px;margin:0 auto;padding:0 24px}
header{display:flex;flex-wrap:wrap;gap:8px 32px;align-items:baseline;padding-top:24px}
header p{margin:0}header span{color:var(--soft)}
nav ul{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:0;padding:0}
nav a{display:block;padding:4px 0;color:var(--soft);text-decoration:none;border-bottom:2px solid transparent}
nav a:hover{color:var(--ink)}nav a[aria-current]{color:var(--ink);border-color:var(--accent)}
h1{font-size:24px;line-height:1.25;margin:32px 0 4px}h2{font-size:18px;line-height:1.25;margin:0}
h3,h2.name{font-size:15px;line-height:1.25;margin:0}
.lead{color:var(--soft);margin:0 0 24px;max-width:38em;text-wrap:balance}
.soft,.small,th,figcaption,label,legend{color:var(--soft)}.small,th,label,legend,.pill{font-size:13px}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.out{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}.skip{position:absolute;left:-99em}.skip:focus{position:static}
.split{display:grid;grid-template-columns:304px minmax(0,1fr);gap:32px;align-items:start}
@media (max-width:760px){.split{display:block}header,main{padding-left:16px;padding-right:16px}nav ul{gap:4px 12px;font-size:14px}.split form{margin-bottom:24px}}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;margin:0 0 16px;min-width:0}
.head{display:flex;flex-wrap:wrap;gap:4px 16px;justify-content:space-between;align-items:baseline}
.card>.head,.card>h2{margin-bottom:8px}.card>p{margin:8px 0 0}.card>:last-child{margin-bottom:0}.card>summary{padding:0}
.row{display:flex;flex-wrap:wrap;gap:12px 24px;align-items:end}
.field{display:flex;flex-direction:column;gap:4px;margin:0 0 16px;flex:1 1 200px;min-width:0}
.row .field{margin:0}.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:0 24px}.row input,.row select{height:40px}.row button{flex:none}
input,select,textarea,button{font:inherit;color:inherit;min-height:40px;border:1px solid var(--edge);border-radius:8px;background:var(--card);padding:8px;width:100%}
input[type=range]{padding:0;margin:0;accent-color:var(--accent)}textarea{min-height:52px;resize:vertical}
button{width:auto;padding:8px 16px;cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
fieldset{border:0;padding:0;margin:0}
summary{display:flex;gap:12px;align-items:center;cursor:pointer;padding:8px 0;list-style:none}summary::-webkit-details-marker{display:none}
summary::before{content:"";flex:none;width:7px;height:7px;border:solid var(--soft);border-width:0 1.5px 1.5px 0;transform:rotate(-45deg);transition:transform .15s}
details[open]>summary::before{transform:translateY(-2px) rotate(45deg)}summary .head{flex:1;align-items:center}.head svg{margin-left:8px}
details details summary{padding:4px 0}
.rule{border-top:1px solid var(--line)}.rule>summary{min-height:40px}.rule>summary>.head{flex-wrap:nowrap}
.tree{list-style:none;margin:0 0 8px;padding:0 0 0 20px}
.tree.found{padding:0}.found li{display:flex;gap:12px;align-items:baseline;padding:4px 0}.found .pill{flex:none;min-width:80px;text-align:center}.tree .tree{margin:0;border-left:1px solid var(--line)}
.tree .head{padding:2px 0 2px 1.4em}.sign{display:inline-block;width:1.4em;margin-left:-1.4em}
.yes{color:var(--yes)}.no{color:var(--no)}.warn{color:var(--warn)}
.pill{border-radius:12px;padding:0 8px;background:var(--sunk);color:var(--soft);white-space:nowrap}
.pill.yes{background:var(--yes-wash);color:var(--yes)}.pill.no{background:var(--no-wash);color:var(--no)}.pill.warn{background:var(--warn-wash);color:var(--warn)}
.note{background:var(--sunk);border-radius:8px;padding:8px 12px;margin:8px 0 0}
.note.warn{background:var(--warn-wash)}.note.no{background:var(--no-wash)}
svg{display:inline-block;vertical-align:middle}.none{position:absolute}
.track{fill:var(--sunk)}.fill{fill:var(--soft)}.fill.in{fill:var(--yes)}.mark{fill:var(--ink)}
.even{stroke:var(--soft);stroke-dasharray:3 3}
.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}.s6{fill:var(--s6)}
.chart{width:100%;height:136px;margin-top:8px}.axis{display:flex;justify-content:space-between;font-size:13px;color:var(--soft);margin-bottom:16px}
.share{display:grid;grid-template-columns:minmax(96px,240px) minmax(0,1fr) auto;gap:4px 16px;align-items:center;padding:4px 0}
.share>svg{width:100%;height:10px;border-radius:5px}.share span>svg{margin-right:8px}
@media (max-width:760px){.share{grid-template-columns:1fr auto}.share>svg{grid-row:2;grid-column:1/3}}
.figures{display:flex;flex-wrap:wrap;gap:8px 32px;margin:0}.figures dt{color:var(--soft);font-size:13px}.figures dd{margin:0;font-size:24px;line-height:1.25}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{padding:4px 8px;text-align:left;font-weight:400;border-top:1px solid var(--line);vertical-align:top}
.matrix th{overflow-wrap:normal}.matrix td{min-width:48px}.matrix th:first-child{position:sticky;left:0;z-index:1;background:var(--card);min-width:160px;max-width:280px}.matrix tbody th{color:var(--ink)}
pre{background:var(--sunk);border-radius:8px;padding:12px;margin:8px 0;white-space:pre-wrap;font:13px/1.55 ui-monospace,monospace;max-height:480px;overflow:auto}
iframe{width:100%;height:120px;border:1px solid var(--line);border-radius:8px;background:#fff}
del{color:var(--no)}ins{color:var(--yes)}
.log{border-top:1px solid var(--line)}
.log summary{font-variant-numeric:tabular-nums}.log summary>:nth-child(2){flex:1;min-width:0}
@media (max-width:760px){.log summary{flex-wrap:wrap}.log summary>:nth-child(2){order:3;flex:1 0 100%}.log summary>:nth-child(3){margin-left:auto}}
td,dd,.small{font-variant-numeric:tabular-nums}
.new{animation:new .6s}@keyframes new{from{background:var(--yes-wash)}}
@media (prefers-reduced-motion:reduce){.new{animation:none}summary::before{transition:none}}
`;
