import { toTargetError } from '../../errors.js';
import { shownName } from '../../tools/rule-facts.js';
import { percent } from '../../tools/shares.js';
import { simulate } from '../../tools/simulate.js';
import type { ActivityShare, Simulation } from '../../tools/simulation.js';
import { colour, histogram, shareBar } from './bars.js';
import { type Fields, firstPlaceOf, placesOf, type ShownArtifact } from './bench-state.js';
import { type Html, html } from './html.js';
import { BASE, choices, notice, type Page, pill } from './layout.js';
import { questionOf, visitorFields } from './question-form.js';

/** The numbers of visitors at the steps of the slider. */
const SIZES = [100, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 7000, 10_000, 20_000, 30_000] as const;
const DEFAULT_STEP = 7;

/** The page that tests a split with made-up visitors. */
export async function allocationPage(shown: ShownArtifact | undefined, fields: Fields): Promise<Page> {
  const step = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Number(fields.step ?? DEFAULT_STEP)) || 0));
  const visitors = SIZES[step] ?? 1000;
  const mbox = fields.mbox ?? (shown ? firstPlaceOf(shown) : '');
  return {
    name: 'allocation',
    title: 'Is the split right?',
    lead: 'Made-up visitors, decided by these rules. As they grow in number, the bars settle on the shares that the rules give.',
    body: shown
      ? html`<form class="card" data-live action="${BASE}allocation"><div class="row">
${choices('Mbox', 'mbox', placesOf(shown, mbox), mbox)}
<div class="field"><label for="step"><span id="size" data-swap>Visitors: ${grouped(visitors)}</span></label><input type="range" id="step" name="step" min="0" max="${SIZES.length - 1}" value="${step}" aria-valuetext="${grouped(visitors)} visitors"></div>
<button class="main">Simulate</button>
</div>
${commonFields(fields)}</form>
<div id="result" data-swap>${await result(shown, { ...fields, mbox }, visitors)}</div>`
      : notice('This edge has no rules: start it with an artifact.'),
  };
}

/** The fields of what all the visitors have in common. */
function commonFields(fields: Fields): Html {
  const { first, more, isMoreUsed } = visitorFields(fields);
  const isUsed =
    isMoreUsed ||
    [fields.url, fields.parameters].some(Boolean) ||
    (fields.browser ?? 'unknown') !== 'unknown';
  return html`<details${isUsed && html` open`}><summary class="small soft">What these visitors have in common</summary>
<div class="fields">${first}${more}</div></details>`;
}

async function result(shown: ShownArtifact, fields: Fields, visitors: number): Promise<Html> {
  let simulation: Simulation;
  try {
    simulation = await simulate(shown.artifact, {
      ...questionOf(shown, fields.mbox ?? '', fields),
      visitors,
    });
  } catch (thrown) {
    return notice(`It cannot be simulated: ${toTargetError(thrown).message}`, 'no');
  }
  const { activities, none, ms, remote } = simulation;
  const rest = percent(none.count / visitors, 1);
  return html`${activities.map(activityCard)}
${remote && notice(remote.text, 'warn')}
${activities.length === 0 && !remote && notice('No rule of this place can be decided on-device.')}
<p class="small soft">${grouped(visitors)} visitors in ${Math.round(ms)} ms; ${rest} ${remote ? 'are left to the edge' : 'got default content'}.</p>`;
}

function activityCard(activity: ActivityShare): Html {
  const { experiences, takenBefore, reached, type, id } = activity;
  const isMeant = experiences.some(({ configured }) => configured > 0);
  const bins = activity.histogram.filter(({ length }) => length > 0);
  const rows = experiences.map(
    (one, index) =>
      html`<div class="share"><span><svg aria-hidden="true" width="11" height="11"><rect class="${colour(index)}" width="11" height="11" rx="2"/></svg> ${shownName(one)}</span>${shareBar(one.share, one.expected, index)}<span>${percent(one.share, 2)} <span class="soft">of ${percent(one.expected, 2)}</span></span></div>`,
  );
  return html`<section class="card"><div class="head"><h2 class="name">${shownName(activity)}</h2>${verdict(activity, isMeant)}</div>
${!isMeant && html`<p class="small soft">Visitors like these are in none of its audiences.</p>`}
${bins.length > 0 && histogram(activity.histogram, `visitors by allocation, ${reached} in all`)}
${isMeant && html`${rows}`}
${takenBefore > 0.0001 && html`<p class="note warn">Activities before it take ${percent(takenBefore, 1)} of the visitors that its shares are meant for.</p>`}
<p class="small soft">${type} ${id}</p></section>`;
}

function verdict({ chiSquare, p, mismatch }: ActivityShare, isMeant: boolean): Html {
  if (chiSquare === undefined || p === undefined) {
    return pill(isMeant ? 'nothing to test' : 'other audience');
  }
  const figures = `χ² ${chiSquare.toFixed(2)}, p ${p.toFixed(3)}`;
  return pill(`${mismatch ? '✗' : '✓'} ${figures}`, mismatch ? 'no' : 'yes');
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
