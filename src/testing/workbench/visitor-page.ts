import { invalidField, toTargetError } from '../../errors.js';
import { explain } from '../../tools/explain.js';
import type { Explanation } from '../../tools/explanation.js';
import type { Fields, ShownArtifact } from './bench-state.js';
import { placesOf, requestFor } from './bench-state.js';
import { explanationCards } from './explanation-cards.js';
import { type Html, html } from './html.js';
import { BASE, choices, field, notice, type Page, textField } from './layout.js';

/** User agents by the name of the browser. The engine reads the browser from them, as a client does. */
const BROWSERS: ReadonlyMap<string, string> = new Map([
  ['unknown', ''],
  [
    'Chrome',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  [
    'Edge',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
  ],
  ['Firefox', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0'],
  [
    'Safari',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
  ],
  [
    'iPhone',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
  ],
]);

/** The page that explains one decision. */
export function visitorPage(shown: ShownArtifact | undefined, fields: Fields): Page {
  return {
    name: 'visitor',
    title: 'What would this visitor see?',
    lead: 'The rules decide as a client would; each condition shows the value it saw.',
    body: shown
      ? html`<div class="split">${form(shown, fields)}<div id="result" data-swap>${result(shown, fields)}</div></div>`
      : notice('This edge has no rules: start it with an artifact. Its offers are answered as they are.'),
  };
}

function form(shown: ShownArtifact, fields: Fields): Html {
  const of = (name: string) => fields[name] ?? '';
  const browsers = [...BROWSERS.keys()].map((name) => [name, name] as const);
  const parameters = html`<textarea id="parameters" name="parameters" rows="2">${of('parameters')}</textarea>`;
  const isOpen = ['country', 'region', 'city', 'property', 'time'].some((name) => of(name) !== '');
  return html`<form data-live action="${BASE}visitor">
${choices('Mbox', 'mbox', placesOf(shown, fields.mbox), mboxOf(shown, fields))}
${textField('Visitor id (tntId)', 'id', idOf(fields))}
${textField('Page URL', 'url', of('url'))}
${choices('Browser', 'browser', browsers, of('browser') || 'unknown')}
${field('Parameters, one name=value a line', 'parameters', parameters)}
<details${isOpen && html` open`}><summary class="small soft">Place, property, time</summary>
${textField('Country', 'country', of('country'), 'US')}
${textField('Region', 'region', of('region'), 'CA')}
${textField('City', 'city', of('city'))}
${textField('Property token', 'property', of('property'))}
${textField('Time in UTC (empty: now)', 'time', of('time'), '2026-11-29T10:00Z')}
</details>
<button class="main">Decide</button>
</form>`;
}

function mboxOf(shown: ShownArtifact, { mbox }: Fields): string {
  return mbox ?? placesOf(shown)[0]?.[0] ?? '';
}

function idOf({ id }: Fields): string {
  return id || 'visitor-1';
}

function result(shown: ShownArtifact, fields: Fields): Html {
  let explanation: Explanation;
  try {
    const now = timeOf(fields.time);
    const mbox = requestFor(mboxOf(shown, fields), parametersOf(fields.parameters ?? ''));
    const geo = placeOf(fields);
    const context = {
      channel: 'web' as const,
      userAgent: BROWSERS.get(fields.browser ?? '') ?? '',
      ...(fields.url && { address: { url: fields.url } }),
      ...(Object.keys(geo).length > 0 && { geo }),
    };
    const request = { ...mbox, id: { tntId: idOf(fields) }, context };
    explanation = explain(shown.artifact, {
      client: shown.client,
      ...(fields.property && { propertyToken: fields.property }),
      ...(now !== undefined && { now }),
      request,
    });
  } catch (thrown) {
    return notice(`It cannot be decided: ${toTargetError(thrown).message}`, 'no');
  }
  return explanationCards(explanation);
}

/** The place of the visitor, in capitals as a look-up by address gives it. */
function placeOf({ country, region, city }: Fields) {
  return {
    ...(country && { countryCode: country.toUpperCase() }),
    ...(region && { stateCode: region.toUpperCase() }),
    ...(city && { city: city.toUpperCase() }),
  };
}

function timeOf(time: string | undefined): number | undefined {
  if (!time) {
    return undefined;
  }
  const now = Date.parse(/T[\d:.]+$/.test(time) ? `${time}Z` : time);
  if (Number.isNaN(now)) {
    throw invalidField('time', 'such as 2026-11-29T10:00Z', time);
  }
  return now;
}

function parametersOf(text: string): Record<string, string> {
  const pairs = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    pairs.map((line) => {
      const [name = '', ...value] = line.split('=');
      return [name.trim(), value.join('=').trim()];
    }),
  );
}
