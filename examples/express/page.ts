import { toInlineJson } from 'target-node-sdk/http';
import type { Click } from './click.js';
import type { Decisions } from './decide.js';
import { Html, html } from './html.js';
import { PRODUCTS } from './products.js';

/** What the page shows besides the decisions. */
export interface Surroundings {
  /** What became of a click that a browser without JavaScript has just sent. */
  readonly claimed: string;
  /** What became of an order that the visitor has just placed. */
  readonly ordered: string;
  /** The demo's own buttons. */
  readonly controls: Html;
}

/** The page. Offers are HTML by the activity's author and go in as they are; everything else is escaped. */
export function toPage(decisions: Decisions, { claimed, ordered, controls }: Surroundings): string {
  const { hero, note, flags, click } = decisions;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Harbour Coffee</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<script src="/claim.js" type="module"></script>
<script id="click" type="application/json">${new Html(toInlineJson(click ?? null))}</script>
</head>
<body>
<header>
<strong>Harbour Coffee</strong>
<form role="search"><input type="search" name="q" aria-label="Search" placeholder="${flags.searchHint}"></form>
</header>
<main>
<section class="hero" aria-label="Offer of the week">
<div id="hero">${new Html(hero)}</div>
<form id="claim" method="post" action="/claim">${click && toFields(click)}<button>Claim this offer</button></form>
<p id="claimed" role="status">${claimed}</p>
</section>
<p id="ordered" class="note" role="status">${ordered}</p>
<p id="note" class="note">${note.text} Free delivery from €${note.freeFrom}.</p>
<ul class="products" style="--per-row: ${flags.productsPerRow}">
${PRODUCTS.map(
  ({ name, notes, price, stock }) => html`<li>
<h2>${name}</h2>
<p>${notes}</p>
<p><strong>€${price}</strong>${flags.showStock ? html` <span class="stock">${stock} left</span>` : ''}</p>
<form method="post" action="/order"><button name="product" value="${name}" aria-label="Buy ${name}">Buy</button></form>
</li>
`,
)}</ul>
${toDetails(decisions, controls)}
</main>
</body>
</html>
`;
  return page.text;
}

/** What the form sends where no script sends it: the same as the script. */
function toFields({ mbox, token }: Click): Html {
  return html`<input type="hidden" name="mbox" value="${mbox}"><input type="hidden" name="token" value="${token}">`;
}

/** What a shop would not show: who the visitor is to Target, and what was decided. */
function toDetails(decisions: Decisions, controls: Html): Html {
  const { answer, responseTokens = {} } = decisions;
  const facts = {
    Decided: answer?.decisioningMethod ?? 'no: default content',
    'Edge cluster': answer?.targetLocationHintCookie?.value,
    tntId: answer?.response.id?.tntId,
    Session: /^session#([^#]+)#/.exec(answer?.targetCookie.value ?? '')?.[1],
    Activity: responseTokens['activity.name'],
    Experience: responseTokens['experience.name'],
  };
  return html`<section class="details">
<h2>Behind this page</h2>
<p>Reload: the visitor, the session and the experience stay. Another visitor has none of their cookies.</p>
${controls}
<div class="tables">
<table id="visit">
<caption>Visit</caption>
<tbody>${toRows(facts)}</tbody>
</table>
<table id="flags">
<caption>Flags of the mbox <code>shop-flags</code></caption>
<tbody>${toRows({ ...decisions.flags })}</tbody>
</table>
</div>
</section>`;
}

function toRows(facts: Readonly<Record<string, unknown>>): Html[] {
  return Object.entries(facts).map(
    ([
      name,
      value,
    ]) => html`<tr><th scope="row">${name}</th><td>${value === undefined ? '–' : String(value)}</td></tr>
`,
  );
}
