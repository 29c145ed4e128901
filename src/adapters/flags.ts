/**
 * The adapter for Vercel's package flags. A flag is read from a JSON offer.
 *
 * @packageDocumentation
 */

import { invalidOption } from '../errors.js';
import type { CallOptions, JsonValue, Parameters, TargetClient } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { isAbsent, isObject } from '../json.js';
import { type FlagNames, readNames, valueIn } from './flag-names.js';
import {
  checkVisitOptions,
  createVisit,
  fromNodeRequest,
  type IncomingRequest,
  type Visit,
  type VisitAttributesCall,
  type VisitOptions,
} from './http.js';

export type { FlagNames, FlagOffer } from './flag-names.js';
export {
  getProviderData,
  type ProviderDataOptions,
  type TargetFlagDefinition,
  type TargetProviderData,
} from './flag-provider-data.js';

/** The options of {@link createTargetAdapter}: those of every visit, and the names of offers. */
export interface TargetAdapterOptions
  extends FlagNames,
    Omit<VisitOptions, 'cookies' | 'clientHints' | 'cacheControl' | 'beacon'> {
  /**
   * The number of proxies in front of the server, whose headers `X-Forwarded-…` are believed. `true` is one.
   * @default false: the visitor's IP address is not known, and Target takes the place of the server for the visitor's
   */
  readonly trustProxy?: boolean | number | null | undefined;
}

/** The facts about a visitor that the function `identify` of a flag may return. */
export interface TargetEntities {
  /** Your own id of the visitor, sent as `thirdPartyId`. */
  readonly targetingKey?: string | number | null | undefined;
  /** The customer ids of the visitor. */
  readonly customerIds?: CallOptions['customerIds'] | null;
  /** The parameters of the mboxes, which audiences can be based on. */
  readonly parameters?: Parameters | null | undefined;
}

/** The headers of a request, as the package `flags` gives them. */
export interface FlagHeaders {
  /** Calls a function with the value and the name of each header. */
  forEach(read: (value: string, name: string) => void): void;
}

/** The question for one flag or several. */
export interface FlagQuestion {
  /** The headers of the request. All questions of one request have the same object. */
  readonly headers: FlagHeaders;
  /** The result of `identify` of the flag. */
  readonly entities?: TargetEntities | undefined;
}

/** An adapter in the form that `flag({ key, adapter })` of the package `flags` takes. */
export interface TargetFlagAdapter<Value> {
  /** The same for all adapters that one call of {@link createTargetAdapter} makes. */
  readonly adapterId: symbol;
  /** The page on which the flags are managed. */
  readonly origin: string;
  /** Decides one flag. */
  decide(question: FlagQuestion & { readonly key: string }): Promise<Value>;
  /** Decides several flags with one call. `evaluate` and `precompute` of the package `flags` do so since version 4.1. */
  bulkDecide(
    question: FlagQuestion & { readonly flags: readonly { readonly key: string }[] },
  ): Promise<Record<string, Value>>;
}

/** The maximum number of mboxes of one request to the edge. */
const MAX_MBOXES = 50;

/**
 * Makes an adapter of Vercel's package `flags` (version 4), which reads flags from JSON offers. Give its result to the
 * flags. The visitor is the one of the request's cookies, which the adapter never writes: the proxy of
 * `target-node-sdk/next` names new visitors.
 *
 * A flag without an offer has the value `undefined`, so that the `defaultValue` of the flag holds. After a failed call,
 * the adapter rejects, and `flags` logs the error and takes the `defaultValue`. With the option `onError`, the error goes
 * there instead.
 *
 * @param client the client, or a function that returns it, which is first called when a flag is read.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 * @example
 * ```ts
 * const adapter = createTargetAdapter(target.client, { mbox: 'shop-flags' });
 * export const newCheckout = flag<boolean>({ key: 'newCheckout', adapter: adapter(), defaultValue: false });
 * ```
 */
export function createTargetAdapter(
  client: TargetClient | (() => TargetClient),
  options: TargetAdapterOptions | null = {},
): <Value>() => TargetFlagAdapter<Value> {
  const own: TargetAdapterOptions = ownOf(options ?? {});
  if (typeof client !== 'function' && typeof client?.getOffers !== 'function') {
    throw invalidOption('client', 'a TargetClient or a function', client);
  }
  checkVisitOptions(own);
  const { toOffer, origin } = readNames(own);
  const trustProxy = own.trustProxy ?? false;
  // A spread would not find the options that are getters of a class.
  const silent = Object.create(own, { cookies: { value: { write: 'never' }, enumerable: true } });
  const visits = new WeakMap<object, Visit>();
  const visitOf = (headers: FlagHeaders) => {
    const known = visits.get(headers);
    if (known) {
      return known;
    }
    const target = typeof client === 'function' ? client() : client;
    const visit = createVisit(target, readHeaders(headers, trustProxy), silent);
    visits.set(headers, visit);
    return visit;
  };
  const ask = async (keys: readonly string[], { headers, entities }: FlagQuestion) => {
    const offers = keys.map((key) => ({ flagKey: key, ...toOffer(key) }));
    const contents = await contentsOf(
      visitOf(headers),
      [...new Set(offers.map(({ mbox }) => mbox))],
      entities,
    );
    return new Map(offers.map(({ flagKey, mbox, key }) => [flagKey, valueIn(contents.get(mbox), key)]));
  };
  const adapter: TargetFlagAdapter<unknown> = {
    adapterId: Symbol('target-node-sdk'),
    origin,
    decide: async (question) => (await ask([question.key], question)).get(question.key),
    bulkDecide: async (question) =>
      Object.fromEntries(
        await ask(
          question.flags.map(({ key }) => key),
          question,
        ),
      ),
  };
  // The account decides the values of a flag. The caller knows its own flags.
  return <Value>() => adapter as TargetFlagAdapter<Value>;
}

/**
 * Reads the headers of a request. They have no URL of the page, unless the proxy of `target-node-sdk/next` wrote it there.
 * A browser can write it too, so its host must be that of the request.
 */
function readHeaders(headers: FlagHeaders, trustProxy: boolean | number): IncomingRequest {
  const plain: Record<string, string> = {};
  headers.forEach((value, name) => {
    plain[name] = value;
  });
  const encrypted = /^https\b/.test(plain['x-forwarded-proto'] ?? '');
  const incoming = fromNodeRequest({ url: '/', headers: plain, socket: { encrypted } }, { trustProxy });
  const named = plain['x-target-url'] ?? '';
  return hostOf(named) === hostOf(incoming.url) ? { ...incoming, url: named } : incoming;
}

function hostOf(url: string): string {
  return /^https?:/.test(url) && URL.canParse(url) ? new URL(url).host : url;
}

/** Asks for the JSON offers of mboxes, with as few calls as possible. */
async function contentsOf(
  visit: Visit,
  mboxes: readonly string[],
  entities: TargetEntities | undefined,
): Promise<ReadonlyMap<string, JsonValue>> {
  const contents = new Map<string, JsonValue>();
  for (let start = 0; start < mboxes.length; start += MAX_MBOXES) {
    const names = mboxes.slice(start, start + MAX_MBOXES);
    const attributes = await visit.getAttributes(names, toCall(names, entities));
    for (const [mbox, content] of attributes.wholeContents()) {
      contents.set(mbox, content);
    }
  }
  return contents;
}

function toCall(names: readonly string[], entities: TargetEntities | undefined): VisitAttributesCall {
  const { targetingKey, customerIds, parameters } = isObject(entities) ? ownOf(entities) : {};
  const mboxes = names.map((name) => ({ name, parameters: parameters ?? undefined }));
  const id = !isAbsent(targetingKey) && { id: { thirdPartyId: targetingKey } };
  return { request: { ...id, execute: { mboxes } }, ...(customerIds && { customerIds }) };
}
