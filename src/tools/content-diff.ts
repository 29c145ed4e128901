import type { Consequence } from '../artifact.js';
import { isRecord } from '../json.js';
import { cut } from './clause-words.js';
import { isSameJson, recordOf } from './rule-index.js';

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
  const [before, after] = [old.offers, now.offers].map(sizeWords);
  const fields = fieldChanges(old.offers, now.offers);
  const text = fields.length > 0 ? fields.join(', ') : `${before} → ${after}`;
  return { before: before ?? '', after: after ?? '', text };
}

/** Names the fields of JSON offers that differ. There are none for other offers. */
function fieldChanges(old: readonly unknown[], now: readonly unknown[]): string[] {
  const [was, is] = [old, now].map((offers) => {
    const jsons = offers.map(recordOf).filter(({ type }) => type === 'json');
    return jsons.length === offers.length ? jsons.map(({ content }) => content).filter(isRecord) : [];
  });
  if (!was || !is || was.length !== old.length || is.length !== now.length) {
    return [];
  }
  const [before, after] = [was, is].map((contents) => Object.fromEntries(contents.flatMap(Object.entries)));
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names
    .filter((name) => !isSameJson(before?.[name], after?.[name]))
    .map((name) => `${name}: ${valueWords(before?.[name])} → ${valueWords(after?.[name])}`);
}

function valueWords(value: unknown): string {
  return value === undefined ? 'nothing' : cut(JSON.stringify(value));
}

/** Writes the type and the bytes of offers. */
function sizeWords(offers: readonly unknown[]): string {
  const words = offers.map(recordOf).map(({ type, content }) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content ?? null);
    return `${typeof type === 'string' ? type : 'untyped'} of ${new TextEncoder().encode(text).length} bytes`;
  });
  return words.join(', ') || 'no offer';
}
