import type { Metric, Option } from '../../delivery-api.js';
import type { GeoFacts } from '../facts/place.js';
import type { CompiledMetric, CompiledOption } from './compiled-offers.js';
import { copyBy } from './copy-plan.js';
import type { MacroSource } from './macros.js';
import { addGeoTokens, type GeoToken } from './response-tokens.js';

/** Says how options are copied for one visitor. */
export interface HandOut {
  /**
   * True for `execute`. The SDK then reports the display itself: copies have no event token. Options that have no type
   * and no content are left out, because they display nothing.
   */
  readonly isExecuted: boolean;
  /** Request of the location, from which macros get their values. */
  readonly source: MacroSource;
  /** The visitor's geographic data; undefined when they are unknown or when the artifact does not ask for them. */
  readonly geo: GeoFacts | undefined;
  /** Names of the geographic response tokens that the artifact asks for. */
  readonly geoTokens: readonly GeoToken[];
}

/** Returns copies of a rule's options for one visitor. */
export function optionsFor(options: readonly CompiledOption[], handOut: HandOut): Option[] {
  const [first] = options;
  const copy = first && options.length === 1 ? toOption(first, handOut) : undefined;
  // Most rules have one option. A list literal has room for exactly one; `push` on an empty list makes room for many.
  if (copy) {
    return [copy];
  }
  const copies: Option[] = [];
  if (options.length > 1) {
    addOptions(copies, options, handOut);
  }
  return copies;
}

/** Adds copies of a rule's options for one visitor to a list that may hold those of other rules. */
export function addOptions(target: Option[], options: readonly CompiledOption[], handOut: HandOut): void {
  for (const compiled of options) {
    const copy = toOption(compiled, handOut);
    if (copy) {
      target.push(copy);
    }
  }
}

function toOption(compiled: CompiledOption, handOut: HandOut): Option | undefined {
  const { option, fillIn } = compiled;
  const { isExecuted, geo } = handOut;
  if (isExecuted && option.type === undefined && option.content === undefined) {
    return undefined;
  }
  const copy = copyOption(compiled, isExecuted ? undefined : compiled.eventToken);
  if (fillIn) {
    fillIn(copy, handOut.source);
  }
  if (geo && copy.responseTokens) {
    addGeoTokens(copy.responseTokens, handOut.geoTokens, geo);
  }
  return copy;
}

function copyOption(compiled: CompiledOption, eventToken: string | undefined): Option {
  const { plain, plan, tokens } = compiled;
  if (!plain) {
    return copyUnusual(compiled, eventToken);
  }
  const { type, content } = plain;
  const copy = plan === undefined ? content : copyBy(plan, content);
  return eventToken === undefined
    ? { type, content: copy, responseTokens: { ...tokens } }
    : { type, content: copy, eventToken, responseTokens: { ...tokens } };
}

function copyUnusual({ option, plan }: CompiledOption, eventToken: string | undefined): Option {
  const copy = copyBy(plan, option) as Option;
  if (eventToken !== undefined) {
    copy.eventToken = eventToken;
  }
  return copy;
}

/** Adds copies of a rule's metrics for one visitor to a list. */
export function addMetrics(target: Metric[], metrics: readonly CompiledMetric[]): void {
  for (const { metric, plan } of metrics) {
    target.push(copyBy(plan, metric));
  }
}
