import type { RuleMeta } from '../../artifact.js';
import type { Parameters } from '../../delivery-api.js';

/** Request of a location (mbox, view or page load), from which macros get values that the rule's meta does not have. */
export interface MacroSource {
  readonly name?: string | undefined;
  readonly parameters?: Parameters | null | undefined;
}

/**
 * Function that a text with macros is compiled to. It takes the request of a location, and returns the text with
 * values.
 */
export type CompiledText = (request: MacroSource) => string;

interface Macro {
  /** Text of the macro in the content. It stays in the content when the macro has no value. */
  readonly written: string;
  /** Name under which the macro's value is looked up. */
  readonly key: string;
}

/**
 * Compiles the macros of a text; returns undefined when it has none. A macro is `${…}` around letters, digits, `_`
 * and `.`. Its value comes from the rule's meta, else from the request of the location, else from the parameters of
 * that request. Values are inserted without escaping, because the author of the activity decides about the content.
 */
export function compileMacros(text: string, meta: RuleMeta): CompiledText | undefined {
  if (!text.includes('${')) {
    return undefined;
  }
  const parts: (string | Macro)[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\{([A-Za-z0-9_.]*)\}/g)) {
    const [written, path = ''] = match;
    parts.push(text.slice(end, match.index));
    end = match.index + written.length;
    const key = toKey(path);
    parts.push(toText(ownField(meta, key)) ?? { written, key });
  }
  if (parts.length === 0) {
    return undefined;
  }
  parts.push(text.slice(end));
  return (request) => {
    let output = '';
    for (const part of parts) {
      output += typeof part === 'string' ? part : toValue(part, request);
    }
    return output;
  };
}

/**
 * Converts the path of a macro to the name under which its value is found. Old macros say `campaign` for an activity
 * and `recipe` for an experience. The last two segments count, and a segment `mbox` is dropped.
 */
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
  if (value === undefined || value === null) {
    return undefined;
  }
  return typeof value === 'object' && !Array.isArray(value) ? undefined : String(value);
}
