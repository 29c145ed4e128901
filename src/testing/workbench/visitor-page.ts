import { toTargetError } from '../../errors.js';
import { explain } from '../../tools/explain.js';
import type { Explanation } from '../../tools/explanation.js';
import { type Fields, firstPlaceOf, placesOf, type ShownArtifact } from './bench-state.js';
import { explanationCards } from './explanation-cards.js';
import { type Html, html } from './html.js';
import { BASE, choices, notice, type Page, textField } from './layout.js';
import { questionOf, visitorFields } from './question-form.js';

/** The page that explains one decision. */
export function visitorPage(shown: ShownArtifact | undefined, fields: Fields): Page {
  return {
    name: 'visitor',
    title: 'What would this visitor see?',
    lead: 'The rules decide as a client would; each condition shows the value it saw.',
    body: shown
      ? answered(shown, fields)
      : notice('This edge has no rules: start it with an artifact. Its offers are answered as they are.'),
  };
}

/** The form and the answer. The verdict is in a region of its own too, which screen readers read when it changes. */
function answered(shown: ShownArtifact, fields: Fields): Html {
  const { said, cards } = result(shown, fields);
  return html`<p id="said" class="out" role="status" data-swap>${said}</p>
<div class="split">${form(shown, fields)}<div id="result" data-swap>${cards}</div></div>`;
}

function form(shown: ShownArtifact, fields: Fields): Html {
  const { first, more, isMoreUsed } = visitorFields(fields);
  return html`<form data-live action="${BASE}visitor">
${choices('Mbox', 'mbox', placesOf(shown, fields.mbox), mboxOf(shown, fields))}
${textField('Visitor id (tntId)', 'id', idOf(fields))}
${first}
<details${isMoreUsed && html` open`}><summary class="small soft">Place, property, time</summary>
${more}
</details>
<button class="main">Decide</button>
</form>`;
}

function mboxOf(shown: ShownArtifact, { mbox }: Fields): string {
  return mbox ?? firstPlaceOf(shown);
}

function idOf({ id }: Fields): string {
  return id || 'visitor-1';
}

function result(shown: ShownArtifact, fields: Fields): { readonly said: string; readonly cards: Html } {
  let explanation: Explanation;
  try {
    const { request, ...question } = questionOf(shown, mboxOf(shown, fields), fields);
    explanation = explain(shown.artifact, {
      ...question,
      request: { ...request, id: { tntId: idOf(fields) } },
    });
  } catch (thrown) {
    const said = `It cannot be decided: ${toTargetError(thrown).message}`;
    return { said, cards: notice(said, 'no') };
  }
  const said = explanation.locations.map(({ verdict }) => verdict).join('; ');
  return { said, cards: explanationCards(explanation) };
}
