import { invalidField } from '../../errors.js';
import type { ExplainOptions } from '../../tools/question.js';
import { USER_AGENTS } from '../../tools/user-agents.js';
import { type Fields, requestFor, type ShownArtifact } from './bench-state.js';
import { type Html, html } from './html.js';
import { choices, field, textField } from './layout.js';

/** User agents by the name of the browser in the form. */
const BROWSERS: ReadonlyMap<string, string> = new Map([
  ['unknown', ''],
  ['Chrome', USER_AGENTS.chrome],
  ['Edge', USER_AGENTS.edge],
  ['Firefox', USER_AGENTS.firefox],
  ['Safari', USER_AGENTS.safari],
  ['iPhone', USER_AGENTS.iphone],
]);

/** The fields of a form that say what the rules may ask about a visitor. */
export function visitorFields(fields: Fields): {
  readonly first: Html;
  readonly more: Html;
  readonly isMoreUsed: boolean;
} {
  const of = (name: string) => fields[name] ?? '';
  const browsers = [...BROWSERS.keys()].map((name) => [name, name] as const);
  const parameters = html`<textarea id="parameters" name="parameters" rows="2">${of('parameters')}</textarea>`;
  return {
    first: html`${textField('Page URL', 'url', of('url'))}
${choices('Browser', 'browser', browsers, of('browser') || 'unknown')}
${field('Parameters, one name=value a line', 'parameters', parameters)}`,
    more: html`${textField('Country', 'country', of('country'), 'US')}
${textField('Region', 'region', of('region'), 'CA')}
${textField('City', 'city', of('city'))}
${textField('Property token', 'property', of('property'))}
${textField('Time in UTC (empty: now)', 'time', of('time'), '2026-11-29T10:00Z')}`,
    isMoreUsed: ['country', 'region', 'city', 'property', 'time'].some((name) => of(name) !== ''),
  };
}

/**
 * Returns the question that a form asks about a place.
 *
 * @throws {TargetError} For a time that is none.
 */
export function questionOf(
  { client }: ShownArtifact,
  place: string,
  fields: Fields,
): ExplainOptions & { readonly client: string } {
  const now = timeOf(fields.time);
  const geo = placeOf(fields);
  const context = {
    channel: 'web' as const,
    userAgent: BROWSERS.get(fields.browser ?? '') ?? '',
    ...(fields.url && { address: { url: fields.url } }),
    ...(Object.keys(geo).length > 0 && { geo }),
  };
  return {
    client,
    ...(fields.property && { propertyToken: fields.property }),
    ...(now !== undefined && { now }),
    request: { ...requestFor(place, parametersOf(fields.parameters ?? '')), context },
  };
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
