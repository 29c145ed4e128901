import type { Decision } from './flags.js';
import { Html, html } from './html.js';
import type { Target } from './target.js';

/** What the page shows. */
export interface View {
  readonly target: Target;
  readonly decided: readonly Decision[];
  /** By the rules before these; empty for the first ones. */
  readonly before: readonly Decision[];
  /** How many were made since the start. */
  readonly decisions: number;
  readonly tookMs: number;
}

/** The page. */
export function toPage(view: View): string {
  const { decided, before } = view;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Checkout flags · Harbour Coffee</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<strong>Harbour Coffee</strong>
<span>Checkout flags</span>
</header>
<main>
${toHero(view)}
<section class="details">
<h2>Twenty customers</h2>
<p>Reload: nobody changes. The flags of the mbox <code>checkout-flags</code> depend on the customer and the rules alone.</p>
${toSplit(decided)}
<div class="tables">
<table id="customers">
<thead><tr><th scope="col">Customer</th><th scope="col">Experience</th><th scope="col">onePage</th>
<th scope="col">payButton</th><th scope="col">freeDeliveryFrom</th></tr></thead>
<tbody>${decided.map((decision, position) => toRow(decision, before[position]))}</tbody>
</table>
</div>
</section>
${toFacts(view)}
</main>
</body>
</html>
`;
  return page.text;
}

function toHero({ target, decided, before }: View): Html {
  const rules = target.rules();
  const changed = decided.filter(({ experience }, position) => isOther(experience, before[position]));
  return html`<section class="hero" aria-label="Rules">
<h1>${rules ? `Rules, version ${rules.version}` : 'No rules yet'}</h1>
<p id="status" role="status">${target.demo?.isRunning === false ? 'The edge is stopped. Decisions go on by the rules that are here.' : toNews(changed.length, before.length > 0)}</p>
${target.demo ? toButtons(target.demo.isRunning) : ''}
</section>`;
}

function toNews(changed: number, isSwapped: boolean): string {
  if (!isSwapped) {
    return 'Each decision is made in this process, without a call to Target.';
  }
  return `New rules are in use, without a restart. ${changed} of 20 customers have another experience now.`;
}

function toButtons(isRunning: boolean): Html {
  const button = (action: string, label: string, isDisabled = false) =>
    html`<form method="post" action="/${action}"><button${new Html(isDisabled ? ' disabled' : '')}>${label}</button></form>
`;
  return html`<div class="buttons">
${button('publish', 'Publish the next rules', !isRunning)}${isRunning ? button('stop', 'Stop the edge') : button('restart', 'Start the edge again')}</div>`;
}

/** How many customers have which experience. */
function toSplit(decided: readonly Decision[]): Html {
  const counts = new Map<string, number>();
  for (const { experience } of decided) {
    counts.set(experience, (counts.get(experience) ?? 0) + 1);
  }
  const parts = [...counts].sort(([a], [b]) => a.localeCompare(b));
  return html`<ul id="split" class="split">${parts.map(
    ([experience, count]) =>
      html`<li class="${toTone(experience)}" style="flex-grow: ${count}"><strong>${count}</strong> ${experience}</li>`,
  )}</ul>`;
}

function toRow({ customer, experience, flags }: Decision, before: Decision | undefined): Html {
  const was = isOther(experience, before) ? html` <small>was ${before?.experience}</small>` : '';
  return html`<tr><th scope="row">${customer}</th><td><span class="tag ${toTone(experience)}">${experience}</span>${was}</td>
<td>${flags.onePage}</td><td>${flags.payButton}</td><td>€${flags.freeDeliveryFrom}</td></tr>
`;
}

function isOther(experience: string, before: Decision | undefined): boolean {
  return before !== undefined && before.experience !== experience;
}

/** A colour of the demo's own experiences; those of an account have the colour of all others. */
function toTone(experience: string): string {
  const tones = new Map([
    ['Several pages', 'sand'],
    ['One page', 'sea'],
    ['Express', 'sun'],
  ]);
  return tones.get(experience) ?? 'plain';
}

function toFacts({ target, decided, decisions, tookMs }: View): Html {
  const { demo } = target;
  const rules = target.rules();
  const facts = {
    'Artifact version': rules?.version ?? '–',
    'Made at': rules?.generatedAt ?? '–',
    'Time for this page': `${tookMs.toFixed(2)} ms for ${decided.length} decisions`,
    'Decisions since the start': decisions,
    ...(demo && {
      'Requests to the edge': demo.requests,
      Edge: demo.isRunning ? 'running' : 'stopped',
    }),
  };
  return html`<section class="details">
<h2>Behind this page</h2>
<p>The client gets the rules once, and asks for newer ones in the background. A decision asks nobody.</p>
<div class="tables">
<table id="facts">
<tbody>${Object.entries(facts).map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>
`,
  )}</tbody>
</table>
</div>
</section>`;
}
