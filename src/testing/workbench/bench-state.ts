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
      this.#shown = now === undefined ? undefined : toShown(JSON.parse(now));
      this.#text = now;
    }
    return this.#shown;
  }
}

function toShown(artifact: unknown): ShownArtifact {
  const known = isRecord(artifact) ? artifact : {};
  return { artifact: known, overview: inspect(known) };
}

/** A place that can be decided: its value in forms, and its words. */
export type Place = readonly [value: string, words: string];

/** Lists the mboxes and views of an artifact, and the page load. */
export function placesOf({ activities, globalMbox }: Overview): Place[] {
  const names = new Set(activities.flatMap(({ locations }) => locations));
  names.delete(globalMbox);
  const places = [...names].sort().map((name): Place => [name, name]);
  return [...places, ['', `page load (${globalMbox})`]];
}

/** Returns the request for a place. A view is prefetched, because views cannot be executed. */
export function requestFor(place: string, parameters: Readonly<Record<string, string>> = {}) {
  if (place === '') {
    return { execute: { pageLoad: { parameters } } };
  }
  return place.startsWith('view ')
    ? { prefetch: { views: [{ name: place.slice('view '.length), parameters }] } }
    : { execute: { mboxes: [{ index: 0, name: place, parameters }] } };
}
