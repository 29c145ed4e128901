import { toTargetError } from '../../errors.js';
import type { ActivityChanges, ArtifactDiff, Change } from '../../tools/artifact-diff.js';
import { diffArtifacts } from '../../tools/diff.js';
import type { BenchEdge, Fields } from './bench-state.js';
import { type Html, html } from './html.js';
import { BASE, field, notice, type Page } from './layout.js';

/** The page that compares two artifacts: the last two of the edge, or two that are pasted. */
export function changesPage(edge: BenchEdge, fields: Fields): Page {
  const { now, before } = edge.artifacts();
  const pasted =
    fields.before || fields.after ? { before: fields.before ?? '', now: fields.after ?? '' } : undefined;
  const shown = pasted
    ? compared(pasted.before, pasted.now)
    : now !== undefined && before !== undefined
      ? compared(before, now)
      : notice('This edge had no other rules before. Set others, or paste two artifacts.');
  const area = (label: string, name: string) =>
    field(label, name, html`<textarea id="${name}" name="${name}" rows="3">${fields[name]}</textarea>`);
  return {
    name: 'changes',
    title: 'What changed?',
    lead: 'The rules before and the rules now, in the words of an activity.',
    body: html`${shown}
<details class="card"${pasted && html` open`}><summary>Compare two artifacts</summary>
<form method="post" action="${BASE}changes" enctype="text/plain">${area('Before, as JSON', 'before')}${area('After, as JSON', 'after')}<button class="main">Compare</button></form></details>`,
  };
}

function compared(before: string, now: string): Html {
  let diff: ArtifactDiff;
  try {
    diff = diffArtifacts(JSON.parse(before), JSON.parse(now));
  } catch (thrown) {
    return notice(`They cannot be compared: ${toTargetError(thrown).message}`, 'no');
  }
  const { activities, locations, artifact, unchanged, quiet, isEqual } = diff;
  const others = [...artifact, ...locations.map(({ name, text }) => ({ text: `${name}: ${text}` }))];
  return html`${isEqual && notice('Nothing changed for visitors.')}
${activities.map(activityCard)}
${others.length > 0 && html`<section class="card"><h2>The rules as a whole</h2><ul class="tree">${others.map(({ text }) => html`<li>${text}</li>`)}</ul></section>`}
<p class="small soft">${activities.length} ${activities.length === 1 ? 'activity' : 'activities'} changed, ${unchanged} as before; ${quiet} ${quiet === 1 ? 'change' : 'changes'} that no visitor sees.</p>`;
}

function activityCard({ id, name, changes }: ActivityChanges): Html {
  return html`<section class="card"><div class="head"><h2 class="name">${name || id}</h2><span class="small soft">${id}</span></div>
<ul class="tree">${changes.map((change) => html`<li>${changeWords(change)}</li>`)}</ul></section>`;
}

/** A change with both sides shows them as what went and what came. */
function changeWords({ text, before, after }: Change): Html {
  const both = `${before} → ${after}`;
  const at = before !== undefined && after !== undefined ? text.indexOf(both) : -1;
  return at < 0
    ? html`${text}`
    : html`${text.slice(0, at)}<del>${before}</del> → <ins>${after}</ins>${text.slice(at + both.length)}`;
}
