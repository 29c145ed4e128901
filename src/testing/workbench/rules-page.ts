import type { ActivityOverview } from '../../tools/inspect.js';
import { shownName } from '../../tools/rule-facts.js';
import { percent } from '../../tools/shares.js';
import { validate } from '../../tools/validate.js';
import { smallBar } from './bars.js';
import type { ShownArtifact } from './bench-state.js';
import { type Html, html } from './html.js';
import { notice, type Page, pill } from './layout.js';

/** The page of an artifact as a whole. */
export function rulesPage(shown: ShownArtifact | undefined): Page {
  return {
    name: 'rules',
    title: 'What is in the rules?',
    lead: 'Activities by location, audiences in words, and what is wrong or doubtful.',
    body: shown ? body(shown) : notice('This edge has no rules: start it with an artifact.'),
  };
}

function body({ overview, artifact }: ShownArtifact): Html {
  const { counts, activities, remote } = overview;
  const figures = Object.entries(counts).map(
    ([name, count]) => html`<div><dt>${name}</dt><dd>${count}</dd></div>`,
  );
  const remotes = [...remote.mboxes, ...remote.views.map((name) => `view ${name}`)];
  return html`<div class="card"><dl class="figures">${figures}</dl>
${remotes.length > 0 && html`<p class="note">Only the edge can decide completely: ${remotes.join(', ')}</p>`}</div>
${findings(artifact)}
${matrix(activities)}
<section class="card"><h2>Activities</h2>${activities.map(activityFold)}</section>`;
}

/** The bar of an activity is drawn once, and used in each of its cells. */
function matrix(activities: readonly ActivityOverview[]): Html {
  const locations = [...new Set(activities.flatMap((one) => one.locations))];
  const bars = activities.map(
    ({ experiences }, index) =>
      html`<symbol id="b${index}">${smallBar(experiences.map(({ share }) => share))}</symbol>`,
  );
  const rows = activities.map((activity, index) => {
    const cells = locations.map((location) =>
      activity.locations.includes(location)
        ? html`<td><svg role="img" aria-label="yes" width="32" height="8"><use href="#b${index}"/></svg>`
        : html`<td>`,
    );
    return html`<tr><th scope="row">${shownName(activity)}${cells}`;
  });
  return html`<section class="card"><h2>Where they are</h2>
<svg class="none" width="0" height="0" aria-hidden="true">${bars}</svg>
<div class="wide" tabindex="0" role="region" aria-label="Activities by location"><table class="matrix"><thead><tr><th scope="col">Activity${locations.map((name) => html`<th scope="col">${name}`)}</thead><tbody>${rows}</tbody></table></div>
<p class="small soft">Bars are the shares of experiences. A grey bar: the audience alone decides.</p></section>`;
}

function activityFold(activity: ActivityOverview): Html {
  const { id, type, experiences, locations, properties } = activity;
  const items = experiences.map(
    (one) =>
      html`<li><div class="head"><b>${shownName(one)}</b><span class="small soft">${one.share === undefined ? 'no share' : percent(one.share)}, ${one.rules} ${one.rules === 1 ? 'rule' : 'rules'}</span></div>${one.audience}`,
  );
  return html`<details class="rule"><summary><span class="head"><span>${shownName(activity)}</span><span class="small soft">${type} ${id}</span></span></summary>
<p class="small soft">on ${locations.join(', ')}${properties.length > 0 && `; properties ${properties.join(', ')}`}</p><ul class="tree">${items}</ul></details>`;
}

const KINDS = { error: 'no', warning: 'warn', note: '' } as const;
const SIGNS = { error: '✗', warning: '!', note: 'i' } as const;

function findings(artifact: object): Html {
  const order = Object.keys(KINDS);
  const found = validate(artifact).sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const items = found.map(
    ({ severity, text, remedy }) =>
      html`<li>${pill(`${SIGNS[severity]} ${severity}`, KINDS[severity])}<span>${text}${remedy && html` <span class="soft">→ ${remedy}</span>`}</span></li>`,
  );
  return html`<section class="card"><h2>Findings</h2>${
    items.length > 0
      ? html`<ul class="tree found">${items}</ul>`
      : html`<p class="soft">Nothing is wrong.</p>`
  }</section>`;
}
