import { toError, toTargetError } from '../../errors.js';
import type { ActivityChanges, ArtifactDiff, Change } from '../../tools/artifact-diff.js';
import { diffArtifacts } from '../../tools/diff.js';
import type { BenchEdge, Fields } from './bench-state.js';
import { type Html, html } from './html.js';
import { BASE, field, notice, type Page } from './layout.js';

/** A longer text is not sent back with the answer. */
const MAX_KEPT = 100_000;
/** The most activities that are shown. */
const MAX_ACTIVITIES = 200;

/** The page that compares two artifacts: the last two of the edge, or two that are pasted. */
export function changesPage(edge: BenchEdge, fields: Fields): Page {
  const { now, before } = edge.artifacts();
  const pasted =
    fields.before || fields.after ? { before: fields.before ?? '', now: fields.after ?? '' } : undefined;
  const shown = pasted
    ? compared(pasted.before, pasted.now)
    : now !== undefined && before !== undefined
      ? compared(before, now)
      : notice(
          before === undefined
            ? 'This edge had no other rules before. Set others, or paste two artifacts.'
            : 'This edge has no rules now. Set some, or paste two artifacts.',
        );
  const area = (label: string, name: string) => {
    const { [name]: text = '' } = fields;
    const kept = text.length > MAX_KEPT ? '' : text;
    return field(label, name, html`<textarea id="${name}" name="${name}" rows="3">${kept}</textarea>`);
  };
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
    const [old, present] = [parsed(before), parsed(now)];
    const wrong = [
      ...('problem' in old ? [`The artifact before is not JSON: ${old.problem}`] : []),
      ...('problem' in present ? [`The artifact after is not JSON: ${present.problem}`] : []),
    ];
    if ('problem' in old || 'problem' in present) {
      return notice(wrong.join('. '), 'no');
    }
    diff = diffArtifacts(old.artifact, present.artifact);
  } catch (thrown) {
    return notice(`They cannot be compared: ${toTargetError(thrown).message}`, 'no');
  }
  const { activities, locations, artifact, unchanged, quiet, isEqual } = diff;
  const others = [...artifact, ...locations.map(({ name, text }) => ({ text: `${name}: ${text}` }))];
  return html`${isEqual && notice('Nothing changed for visitors.')}
${activities.slice(0, MAX_ACTIVITIES).map(activityCard)}
${activities.length > MAX_ACTIVITIES && notice(`${activities.length - MAX_ACTIVITIES} more activities changed. The command line lists all of them.`)}
${others.length > 0 && html`<section class="card"><h2>The rules as a whole</h2><ul class="tree">${others.map(({ text }) => html`<li>${text}</li>`)}</ul></section>`}
<p class="small soft">${activities.length} ${activities.length === 1 ? 'activity' : 'activities'} changed, ${unchanged} as before; ${quiet} ${quiet === 1 ? 'change' : 'changes'} that no visitor sees.</p>`;
}

/** Reads pasted JSON, which may begin with the mark that some editors write before a text. */
function parsed(text: string): { readonly artifact: object } | { readonly problem: string } {
  try {
    return { artifact: JSON.parse(text.replace(/^\ufeff/, '')) };
  } catch (thrown) {
    return { problem: text.trim() === '' ? 'it is empty' : toError(thrown).message };
  }
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
