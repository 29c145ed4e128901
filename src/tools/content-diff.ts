import type { Consequence } from '../artifact.js';
import { isRecord } from '../json.js';
import { cutBoth } from './clause-words.js';
import { recordOf } from './rule-index.js';
import { isSameJson, stableText } from './same-json.js';

interface ContentChange {
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

/** Tells how the offers of a rule differ; undefined when they are the same but for the tokens of their events. */
export function contentWords(was: Consequence, is: Consequence): ContentChange | undefined {
  const [old, now] = [was, is].map(({ options, name }) => ({
    name,
    offers: (options ?? []).map((option) => ({ ...option, eventToken: undefined })),
  }));
  if (!old || !now || isSameJson(old, now)) {
    return undefined;
  }
  const fields = fieldChanges(old.offers, now.offers);
  const [only] = fields;
  if (only && fields.length === 1) {
    return { ...only, text: `${only.name}: ${only.before} → ${only.after}` };
  }
  if (only) {
    const side = (of: 'before' | 'after') => fields.map((field) => `${field.name}: ${field[of]}`).join(', ');
    const text = fields.map(({ name, before, after }) => `${name}: ${before} → ${after}`).join(', ');
    return { before: side('before'), after: side('after'), text };
  }
  const [before = '', after = ''] = [old.offers, now.offers].map(sizeWords);
  if (before !== after) {
    return { before, after, text: `${before} → ${after}` };
  }
  const [one, other] = excerpts(old, now);
  return { before: one, after: other, text: `${before}: ${one} → ${other}` };
}

interface FieldChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Names the fields of JSON offers that differ. There are none for other offers. */
function fieldChanges(old: readonly unknown[], now: readonly unknown[]): FieldChange[] {
  const [was, is] = [old, now].map((offers) => {
    const jsons = offers.map(recordOf).filter(({ type }) => type === 'json');
    return jsons.length === offers.length ? jsons.map(({ content }) => content).filter(isRecord) : [];
  });
  if (!was || !is || was.length !== old.length || is.length !== now.length) {
    return [];
  }
  const before = new Map(was.flatMap(Object.entries));
  const after = new Map(is.flatMap(Object.entries));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => !isSameJson(before.get(name), after.get(name)))
    .map((name) => {
      const [one, other] = cutBoth(valueText(before.get(name)), valueText(after.get(name)));
      return { name, before: one, after: other };
    });
}

function valueText(value: unknown): string {
  return value === undefined ? 'nothing' : stableText(value);
}

interface Offers {
  readonly name: string | undefined;
  readonly offers: readonly object[];
}

/** Shows the first place where offers of the same types and sizes differ. */
function excerpts(old: Offers, now: Offers): [string, string] {
  if (old.name !== now.name) {
    return [`name ${old.name ?? 'none'}`, `name ${now.name ?? 'none'}`];
  }
  const at = old.offers.findIndex((offer, index) => !isSameJson(offer, now.offers[index]));
  const [was, is] = [recordOf(old.offers[at]), recordOf(now.offers[at])];
  const isContent =
    typeof was.content === 'string' && typeof is.content === 'string' && was.content !== is.content;
  const [one, other] = isContent
    ? cutBoth(String(was.content), String(is.content))
    : cutBoth(stableText(was), stableText(is));
  return [`“${one}”`, `“${other}”`];
}

/** Writes the type and the bytes of offers. */
function sizeWords(offers: readonly unknown[]): string {
  const words = offers.map(recordOf).map(({ type, content }) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content ?? null);
    return `${typeof type === 'string' ? type : 'untyped'} of ${new TextEncoder().encode(text).length} bytes`;
  });
  return words.join(', ') || 'no offer';
}
