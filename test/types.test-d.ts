/** Checked by the compiler alone: what has to compile does, and what must not is marked with its reason. */
import http from 'node:http';
import https from 'node:https';
import nodeFetch from 'node-fetch';
import type { fetch as UndiciFetch } from 'undici-types';
import type { ERROR_CODES } from '../src/errors.js';
import type {
  AttributesProvider,
  DeliveryRequest,
  DeliveryResponse,
  GetOffersOptions,
  JsonValue,
  RequestDetails,
  SendNotificationsOptions,
  TargetClientConfig,
  TargetClientStats,
  TargetDeliveryResponse,
  TargetErrorCode,
} from '../src/index.js';
import DefaultClient, { TargetClient, TargetError, Visitor } from '../src/index.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where the first type is exactly the second. */
declare function same<A, B>(answer: Same<A, B>): void;
declare const client: TargetClient;
declare const undiciFetch: typeof UndiciFetch;
declare const optionalText: string | undefined;
declare const someNumber: number;
declare const answer: TargetDeliveryResponse;

const MINIMUM = { client: 'demo', organizationId: 'DEMO@AdobeOrg' };
const request: DeliveryRequest = { execute: { mboxes: [{ name: 'hero' }] } };

export function configs(): TargetClientConfig[] {
  return [
    MINIMUM,
    { ...MINIMUM, fetchApi: fetch },
    { ...MINIMUM, fetchApi: globalThis.fetch.bind(globalThis) },
    { ...MINIMUM, fetchApi: nodeFetch },
    { ...MINIMUM, fetchApi: undiciFetch },
    { ...MINIMUM, fetchApi: (url, init) => fetch(url, { ...init, keepalive: true }) },
    { ...MINIMUM, fetchApi: async () => new Response('{}') },
    { ...MINIMUM, agent: new http.Agent() },
    { ...MINIMUM, agent: new https.Agent() },
    { ...MINIMUM, agent: ({ protocol }) => (protocol === 'http:' ? http.globalAgent : https.globalAgent) },
    { ...MINIMUM, logger: console },
    { ...MINIMUM, logger: null },
    { ...MINIMUM, timeout: undefined, serverDomain: optionalText },
    {
      ...MINIMUM,
      events: {
        clientReady: ({ type }) => same<typeof type, 'clientReady'>(true),
        artifactDownloadFailed: ({ error }) => error.message,
      },
    },
    // @ts-expect-error organizationId is required
    { client: 'demo' },
    // @ts-expect-error a misspelt option is caught before it runs
    { ...MINIMUM, timout: 5 },
    // @ts-expect-error there are three methods
    { ...MINIMUM, decisioningMethod: 'local' },
    { ...MINIMUM, timeout: '5', secure: 'false', retry: { retries: '1' }, circuitBreaker: 'false' },
    { ...MINIMUM, timeout: process.env.TIMEOUT },
    // @ts-expect-error a timeout is a number, or its digits
    { ...MINIMUM, timeout: true },
    // @ts-expect-error there is one place to take proxies from
    { ...MINIMUM, proxy: 'http://proxy.example' },
    // @ts-expect-error an event that does not exist
    { ...MINIMUM, events: { clientReddy: () => undefined } },
    // @ts-expect-error a fetch answers with a promise
    { ...MINIMUM, fetchApi: () => 5 },
  ];
}

export const requests: DeliveryRequest[] = [
  { execute: { pageLoad: {}, mboxes: [{ name: 'a', parameters: { n: 1, b: true, s: 's', u: undefined } }] } },
  { context: { channel: 'web', address: { url: optionalText } }, prefetch: { views: [{}] } },
  { notifications: [{ id: 'n', type: 'click', timestamp: Date.now() }] } as const,
  { notifications: [{ id: 'n', type: 'display', timestamp: 1, tokens: ['t', optionalText] }] },
  { context: { clientHints: { mobile: 'true' }, timeOffsetInMinutes: '60', geo: { zip: 8000 } } },
  {
    execute: {
      pageLoad: true,
      mboxes: [{ name: 5, index: '1', product: { id: 5 }, order: { total: '98.93' } }],
    },
  },
  {
    execute: {
      mboxes: [{ name: 'a', order: { id: 7, purchasedProductIds: [1, '2', null], time: new Date() } }],
    },
  },
  { execute: { mboxes: [{ name: 'a', parameters: { list: ['a', 1, true, null], none: null } }] } },
  { id: { thirdPartyId: 5, customerIds: [{ id: 1, integrationCode: 'crm' }] }, environmentId: '5' },
  { id: null, property: null, experienceCloud: null, prefetch: { views: [null, {}], pageLoad: {} } },
  // @ts-expect-error a wrong field at the top
  { exceute: {} },
  // @ts-expect-error a wrong field in an mbox
  { execute: { mboxes: [{ name: 'a', params: {} }] } },
  // @ts-expect-error an mbox needs a name
  { execute: { mboxes: [{ index: 1 }] } },
  // @ts-expect-error a wrong field deep inside
  { context: { geo: { country: 'CH' } } },
  // @ts-expect-error a hint of another name
  { context: { clientHints: { isMobile: true } } },
  // @ts-expect-error a number in words
  { context: { timeOffsetInMinutes: 'sixty' } },
  // @ts-expect-error an order's time is no number, which could count seconds
  { execute: { pageLoad: { order: { time: 5 } } } },
  // @ts-expect-error the id of a notification is a text
  { notifications: [{ id: 5, type: 'click', timestamp: 1 }] },
  // @ts-expect-error there are two channels
  { context: { channel: 'tv' } },
  // @ts-expect-error a parameter is no object
  { execute: { pageLoad: { parameters: { a: {} } } } },
  // @ts-expect-error a notification is a click or a display
  { notifications: [{ id: 'n', type: 'view', timestamp: 1 }] },
];

export const options: GetOffersOptions[] = [
  { request, customerIds: { crm: { id: '1', authState: TargetClient.AuthState.AUTHENTICATED }, plain: '2' } },
  { request, customerIds: [{ id: '1', integrationCode: 'crm', authenticatedState: 'unknown' }] },
  { request, customerIds: [{ id: '1', integrationCode: 'crm', authState: 1 }] },
  { request, customerIds: { crm: { id: '1', authenticatedState: 'authenticated' } } },
  { request, signal: new AbortController().signal, timeout: 5, visitor: new Visitor('ORG') },
  { request, targetCookie: optionalText, targetLocationHintCookie: optionalText },
  // @ts-expect-error request is required
  {},
  // @ts-expect-error a call cannot replace the configuration
  { request, config: {} },
  // @ts-expect-error a call cannot replace the transport
  { request, fetchApi: fetch },
  {
    request,
    customerIds: { crm: { id: 1, authState: someNumber }, erp: { id: 'a', authState: 'LOGGED_OUT' } },
  },
  { request, customerIds: [{ id: 1, integrationCode: 'crm', authenticatedState: someNumber }] },
  { request, targetCookie: answer.targetCookie, targetLocationHint: answer.targetLocationHintCookie },
  { request, targetLocationHint: 35, visitorCookie: { name: 'AMCV_', value: 'MCMID|1' } },
  { request, sessionId: 5, consumerId: 6, targetCookie: null },
  // @ts-expect-error a state is a number, or the name of one
  { request, customerIds: { crm: { id: '1', authState: 'loged_out' } } },
  // @ts-expect-error a cookie has a value
  { request, targetCookie: { name: 'mbox' } },
];

export async function results(): Promise<void> {
  const result = await client.getOffers({ request });
  same<typeof result, TargetDeliveryResponse>(true);
  same<typeof result.response, DeliveryResponse>(true);
  same<typeof result.targetCookie.maxAge, number>(true);

  const withCallback = await client.getOffers({
    request,
    callback: ({ targetCookie }) => targetCookie.value,
  });
  same<typeof withCallback, TargetDeliveryResponse>(true);

  const errCallback = ({ code }: TargetError) => same<typeof code, TargetErrorCode>(true);
  const offers = await client.getOffers({ request, errCallback });
  same<typeof offers, TargetDeliveryResponse>(true);
  const notified = await client.sendNotifications({ request, errCallback });
  same<typeof notified, TargetDeliveryResponse>(true);
  const attributes = await client.getAttributes(['flags'], { errCallback });
  same<typeof attributes, AttributesProvider>(true);

  result.response.execute = {};
  // @ts-expect-error what was sent is read-only
  result.request.requestId = 'x';
}

export async function untypedAttributes(): Promise<void> {
  const attributes = await client.getAttributes(['flags', optionalText ?? 'other']);
  same<typeof attributes, AttributesProvider>(true);
  const value = attributes.getValue('flags', 'beta');
  same<typeof value, JsonValue>(true);
  const flag: boolean = attributes.getBoolean('flags', 'beta', false);
  const everything = attributes.asObject();
  return void [flag, everything, attributes.getValue('any', optionalText ?? 'name', 5)];
}

/** One signature for each verb: a wrapper that takes the type of its options apart gets all of them. */
export function signatures(): void {
  type Options<Verb extends (...args: never[]) => unknown> = Parameters<Verb>[0];
  same<Options<TargetClient['getOffers']>, GetOffersOptions>(true);
  same<Options<TargetClient['sendNotifications']>, SendNotificationsOptions>(true);
  same<ReturnType<TargetClient['getOffers']>, Promise<TargetDeliveryResponse>>(true);
  same<ReturnType<TargetClient['sendNotifications']>, Promise<TargetDeliveryResponse>>(true);
  same<typeof DefaultClient, typeof TargetClient>(true);
  const made: DefaultClient = DefaultClient.create(MINIMUM);
  return void made;
}

/** Values as Adobe's documentation, databases and forms have them. */
export async function documentedValues(): Promise<void> {
  const written: DeliveryRequest[] = [
    { context: { channel: 'mobile', clientHints: { mobile: 'true' }, timeOffsetInMinutes: '60' } },
    { execute: { pageLoad: true }, prefetch: { pageLoad: false, views: [{ product: { id: 7 } }] } },
    {
      execute: {
        mboxes: [{ name: 'a', product: { id: 5 }, order: { total: '98.93', purchasedProductIds: [1, 'b'] } }],
      },
    },
    { id: { thirdPartyId: 42, customerIds: [{ id: 42, integrationCode: 'crm' }] } },
    { notifications: [{ id: '1', type: 'display', timestamp: 5, tokens: ['t', optionalText] }] },
    // @ts-expect-error a word is no number
    { context: { timeOffsetInMinutes: 'one hour' } },
    // @ts-expect-error a product is an object
    { execute: { mboxes: [{ name: 'a', product: 5 }] } },
    // @ts-expect-error a wrong field in an order
    { execute: { mboxes: [{ name: 'a', order: { sum: 5 } }] } },
  ];
  const { request: sent } = await client.getOffers({ request: written[0] ?? request });
  // What is sent has the types of the Delivery API, whatever was written.
  same<NonNullable<NonNullable<typeof sent.execute>['pageLoad']>, RequestDetails>(true);
  same<typeof sent.context.timeOffsetInMinutes, number | undefined>(true);
}

/** A constant whose words became texts is an error; one that keeps its words is not. */
export async function constants(): Promise<void> {
  const widened = { context: { channel: 'web' }, execute: { pageLoad: {} } };
  // @ts-expect-error a channel is 'web' or 'mobile', not any text
  await client.getOffers({ request: widened });
  const satisfying = { context: { channel: 'web' }, execute: { pageLoad: {} } } satisfies DeliveryRequest;
  await client.getOffers({ request: satisfying });
  const constant = { context: { channel: 'web' }, execute: { mboxes: [{ name: 'a' }] } } as const;
  await client.getOffers({ request: constant });
  const withoutWords = { execute: { mboxes: [{ name: 'a', index: 1, parameters: { plan: 'gold' } }] } };
  await client.getAttributes(['flags'], { request: withoutWords });
}

interface Flags {
  readonly flags: { beta: boolean; limit: number };
  readonly texts: { title: string };
}

export async function typedAttributes(): Promise<void> {
  const attributes = await client.getAttributes<{ flags: { beta: boolean } }>(['flags']);
  same<ReturnType<typeof attributes.getBoolean>, boolean>(true);
  const beta = attributes.getValue('flags', 'beta');
  same<typeof beta, boolean>(true);
  // @ts-expect-error it would always be the default
  attributes.getString('flags', 'beta', 'none');
  // @ts-expect-error an attribute that the schema does not have
  attributes.getValue('flags', 'gamma');
  // @ts-expect-error an mbox that the schema does not have
  attributes.getValue('other', 'beta');
  // @ts-expect-error asks for an mbox that the schema does not have
  await client.getAttributes<{ flags: { beta: boolean } }>(['other']);
}

export async function attributesOfAnInterface(
  provider: AttributesProvider<Pick<Flags, 'flags' | 'texts'>>,
): Promise<void> {
  const limit = provider.getValue('flags', 'limit');
  same<typeof limit, number>(true);
  const title = provider.getValue('texts', 'title', null);
  same<typeof title, string | null>(true);
  const flags = provider.asObject('flags');
  same<typeof flags, Partial<Flags['flags']>>(true);
  const provided = await client.getAttributes<Pick<Flags, 'flags' | 'texts'>>(['flags', 'texts']);
  const number: number = provided.getNumber('flags', 'limit', 5);
  return void number;
}

export async function howItIs(): Promise<void> {
  const { status, source, ageMs } = await client.ready();
  same<typeof status, 'live' | 'cached' | 'degraded'>(true);
  same<typeof source, 'cdn' | 'file' | 'store' | 'payload' | 'edge'>(true);
  same<typeof ageMs, number>(true);
  const stats = client.stats();
  same<typeof stats, TargetClientStats>(true);
  same<typeof stats.circuitBreaker.state, 'closed' | 'open' | 'half-open' | 'off'>(true);
  const counters: number[] = [stats.decisions, stats.deliveries, stats.retries, stats.failures];
  // @ts-expect-error a snapshot is not for writing
  stats.decisions = counters.length;
  TargetClient.create({ client: 'c', organizationId: 'o', circuitBreaker: { failures: 2 } });
  // @ts-expect-error an option that does not exist
  TargetClient.create({ client: 'c', organizationId: 'o', circuitBreaker: { threshold: 2 } });
}

export async function errors(): Promise<void> {
  try {
    await client.ready({ timeout: 5, signal: AbortSignal.timeout(5) });
  } catch (error) {
    if (!(error instanceof TargetError)) {
      throw error;
    }
    same<typeof error.code, TargetErrorCode>(true);
    same<ReturnType<typeof error.toJSON>['code'], TargetErrorCode>(true);
    // @ts-expect-error an answer's body is not for everybody
    if (error.toJSON().body === '') {
      return;
    }
    // @ts-expect-error a code that does not exist
    if (error.code === 'ERR_TARGET_OTHER') {
      return;
    }
    if (error.code === 'ERR_TARGET_TIMEOUT' && error.attempts === 1) {
      return;
    }
  }
  await using closed = client;
  client.on('sendNotificationError', ({ error, notification }) => [error.message, notification]);
  // @ts-expect-error an event that does not exist
  closed.on('nothing', () => undefined);
}

interface Odd {
  readonly odd: { maybe?: boolean; mixed: string | number; any: JsonValue; unknown: unknown };
}

export function attributesOfSeveralTypes(attributes: AttributesProvider<Odd>): unknown[] {
  const maybe = attributes.getValue('odd', 'maybe');
  same<typeof maybe, boolean>(true);
  // @ts-expect-error neither a string nor a number is a boolean
  attributes.getBoolean('odd', 'mixed');
  return [
    attributes.getBoolean('odd', 'maybe', true),
    attributes.getString('odd', 'mixed', ''),
    attributes.getNumber('odd', 'mixed', 0),
    attributes.getBoolean('odd', 'any'),
    attributes.getString('odd', 'unknown'),
  ];
}

export function codesOfErrors(): void {
  // The list is complete.
  same<(typeof ERROR_CODES)[number], TargetErrorCode>(true);
}
