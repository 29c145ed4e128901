import { isRecord } from '../../json.js';
import { inspect, type Overview } from '../../tools/inspect.js';
import type { FaultScope, ListedFault } from '../fault-switches.js';
import type { Fault } from '../faults.js';
import type { ReceivedRequest } from '../request-log.js';

/** The parts of an edge that its workbench shows. */
export interface BenchEdge {
  readonly client: string;
  readonly requests: readonly ReceivedRequest[];
  /** Calls back for each request that arrives. Returns the function that ends this. */
  listen(listener: (request: ReceivedRequest) => void): () => void;
  /** The artifact as JSON, and the one before it. */
  artifacts(): { readonly now: string | undefined; readonly before: string | undefined };
  readonly faults: readonly ListedFault[];
  addFault(fault: Fault, scope: FaultScope): void;
}

/** An artifact, parsed, and what is in it. */
export interface ShownArtifact {
  /** The client code by which the edge decides. Another one gives other allocations. */
  readonly client: string;
  readonly artifact: object;
  readonly overview: Overview;
}

/** The fields of a form or a query. A name has one value. */
export type Fields = Readonly<Record<string, string>>;

/** Remembers the present artifact in its parsed form, because each page needs it. */
export class ShownArtifacts {
  readonly #edge: BenchEdge;
  #text: string | undefined;
  #shown: ShownArtifact | undefined;

  constructor(edge: BenchEdge) {
    this.#edge = edge;
  }

  /** @throws {TargetError} `ERR_TARGET_ARTIFACT` for an artifact that no client can use. */
  now(): ShownArtifact | undefined {
    const { now } = this.#edge.artifacts();
    if (now !== this.#text) {
      this.#shown = now === undefined ? undefined : toShown(this.#edge.client, JSON.parse(now));
      this.#text = now;
    }
    return this.#shown;
  }
}

function toShown(client: string, artifact: unknown): ShownArtifact {
  const known = isRecord(artifact) ? artifact : {};
  return { client, artifact: known, overview: inspect(known) };
}

/** A place that can be decided: its value in forms, and its words. */
export type Place = readonly [value: string, words: string];

/** The values of places: a view has a prefix, and so has an mbox whose name looks as if it had one. */
const PREFIX = /^(view|mbox) /;

/** Lists the mboxes and views that an artifact names, the page load, and the place that is chosen. */
export function placesOf({ artifact, overview }: ShownArtifact, chosen = ''): Place[] {
  const { globalMbox, remote } = overview;
  const rules = isRecord(artifact) && isRecord(artifact.rules) ? artifact.rules : {};
  const mboxes = new Set([...namesOf(rules.mboxes), ...namesOf(artifact, 'localMboxes'), ...remote.mboxes]);
  mboxes.delete(globalMbox);
  const views = new Set([...namesOf(rules.views), ...namesOf(artifact, 'localViews'), ...remote.views]);
  const values = new Set([
    ...[...mboxes].sort().map((name) => (PREFIX.test(name) ? `mbox ${name}` : name)),
    ...[...views].sort().map((name) => `view ${name}`),
    ...(chosen === '' ? [] : [chosen]),
  ]);
  return [...[...values].map((value): Place => [value, value]), ['', `page load (${globalMbox})`]];
}

/** Returns the place with which the pages begin: that of the first activity. */
export function firstPlaceOf(shown: ShownArtifact): string {
  const { activities, globalMbox } = shown.overview;
  const first = activities[0]?.locations[0];
  const place = first === globalMbox ? '' : first;
  return placesOf(shown).some(([value]) => value === place) ? (place ?? '') : (placesOf(shown)[0]?.[0] ?? '');
}

/** The names of a record, or those of a list in it. */
function namesOf(holder: unknown, list?: string): string[] {
  const found = isRecord(holder) ? (list === undefined ? Object.keys(holder) : holder[list]) : [];
  return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : [];
}

/** Returns the request for a place. A view is prefetched, because views cannot be executed. */
export function requestFor(place: string, parameters: Readonly<Record<string, string>> = {}) {
  if (place === '') {
    return { execute: { pageLoad: { parameters } } };
  }
  const name = place.replace(PREFIX, '');
  return place.startsWith('view ')
    ? { prefetch: { views: [{ name, parameters }] } }
    : { execute: { mboxes: [{ index: 0, name, parameters }] } };
}
