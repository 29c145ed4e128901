import type { RuleMeta } from '../../artifact.js';
import type { Parameters } from '../../delivery-api.js';

/** What macros are resolved from, besides the rule's own meta: the request of a location. */
export interface MacroSource {
  readonly name?: string | undefined;
  readonly parameters?: Parameters | null | undefined;
}

/** A text with macros, from a location's request to the text with values. */
export type CompiledText = (request: MacroSource) => string;

interface Macro {
  /** As it is written in the content: what stays when there is no value. */
  readonly written: string;
  readonly key: string;
}

/**
 * Finds a text's macros, `${…}` of letters, digits, `_` and `.`; undefined when it has none. Values come from the
 * rule's meta, else from the location's request, else from its parameters, and are inserted as they are: the
 * output belongs to the activity's author.
 */
export function compileMacros(text: string, meta: RuleMeta): CompiledText | undefined {
  if (!text.includes('${')) return undefined;
  const parts: (string | Macro)[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\{([A-Za-z0-9_.]*)\}/g)) {
    const [written, path = ''] = match;
    parts.push(text.slice(end, match.index));
    end = match.index + written.length;
    const key = toKey(path);
    parts.push(toText(ownField(meta, key)) ?? { written, key });
  }
  if (parts.length === 0) return undefined;
  parts.push(text.slice(end));
  return (request) => {
    let output = '';
    for (const part of parts) output += typeof part === 'string' ? part : toValue(part, request);
    return output;
  };
}

/** Campaigns and recipes are what activities and experiences were called when the first macros were written. */
function toKey(path: string): string {
  const segments = path.replaceAll('campaign', 'activity').replaceAll('recipe', 'experience').split('.');
  return segments
    .slice(-2)
    .filter((segment) => segment !== 'mbox')
    .join('.');
}

function toValue({ key, written }: Macro, request: MacroSource): string {
  return toText(ownField(request, key)) ?? toText(ownField(request.parameters, key)) ?? written;
}

function ownField(holder: object | null | undefined, name: string): unknown {
  return holder && Object.hasOwn(holder, name) ? Reflect.get(holder, name) : undefined;
}

function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && !Array.isArray(value) ? undefined : String(value);
}
