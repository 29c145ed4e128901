import type { AuthenticatedState, CustomerId } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { isObject, type JsonRecord } from '../json.js';
import { newSupplementalDataId } from './ids.js';

/** Whether a customer is logged in, as Experience Cloud counts it. */
export const AUTH_STATE = { UNKNOWN: 0, AUTHENTICATED: 1, LOGGED_OUT: 2 } as const;

/** One of the numbers of `TargetClient.AuthState`. */
export type AuthStateNumber = (typeof AUTH_STATE)[keyof typeof AUTH_STATE];

/** A customer id as Experience Cloud's visitor API takes it; a plain string is an id of unknown state. */
export type CustomerIdOption =
  | string
  | { readonly id: string | undefined; readonly authState?: AuthStateNumber | undefined };

/** A customer id in the Delivery API's own form. */
export interface CustomerIdEntry {
  readonly id: string;
  readonly integrationCode: string;
  readonly authenticatedState?: AuthenticatedState | undefined;
}

/** Customer ids by integration code; one without an id is left out. */
export type CustomerIdsByCode = Readonly<Record<string, CustomerIdOption | null | undefined>>;

/** Customer ids by integration code, or a list of them in the Delivery API's form. */
export type CustomerIdsOption = CustomerIdsByCode | readonly CustomerIdEntry[];

/** What the SDK asks of a visitor object: of its own, or of one that the caller shares between calls. */
export interface VisitorLike {
  /** For the browser's `Visitor.getInstance(org, {serverState})`. */
  getState(): unknown;
  /** At least MCMID, MCAAMLH and MCAAMB where they are known. */
  getVisitorValues(): unknown;
  getSupplementalDataID(consumerId: string): string;
  setCustomerIDs?(customerIds: CustomerIdsByCode): void;
}

/** What an AMCV cookie says. */
export interface AmcvValues {
  readonly MCMID?: string;
  readonly MCAAMLH?: string;
  readonly MCAAMB?: string;
}

const NO_VALUES: AmcvValues = Object.freeze({});
const NO_CONSUMERS: readonly string[] = Object.freeze([]);
const MAX_COOKIE_LENGTH = 4096;
const MAX_COOKIE_FIELDS = 100;
const MAX_BLOB_LENGTH = 1024;
const MAX_ID_LENGTH = 128;
const MAX_CODE_LENGTH = 50;
const ECID = /^\d{1,128}$/;
const AUDIENCE_MANAGER_HINT = /^[1-9]\d{0,8}$/;
const AUTHENTICATED_STATES = ['unknown', 'authenticated', 'logged_out'] as const;

/** The name of the cookie that holds the ECID: `AMCV_` and the organization's id. */
export function visitorCookieName(organizationId: string): string {
  return `AMCV_${organizationId}`;
}

/**
 * Reads an AMCV cookie, percent-encoded once or not; what is malformed is absent. The `-<expiry>` after a key is
 * dropped unread, as Adobe's own visitor library does: a stale Audience Manager region still finds its way.
 */
export function parseAmcvCookie(cookie: unknown): AmcvValues {
  if (typeof cookie !== 'string') return NO_VALUES;
  const start = cookie.slice(0, MAX_COOKIE_LENGTH);
  const fields = (start.includes('|') ? start : decode(start)).split('|', MAX_COOKIE_FIELDS);
  const valueBehind = (key: string): string | undefined => {
    const at = fields.findIndex((field) => field === key || field.startsWith(`${key}-`));
    const value = at < 0 ? undefined : fields[at + 1];
    return value === 'NONE' ? undefined : value;
  };
  const ecid = valueBehind('MCMID');
  const locationHint = valueBehind('MCAAMLH');
  const blob = valueBehind('MCAAMB');
  return {
    ...(ecid && ECID.test(ecid) && { MCMID: ecid }),
    ...(locationHint && AUDIENCE_MANAGER_HINT.test(locationHint) && { MCAAMLH: locationHint }),
    ...(blob && blob.length <= MAX_BLOB_LENGTH && { MCAAMB: blob }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/**
 * The Experience Cloud visitor of one caller: the ids of an AMCV cookie, and the supplemental data id (SDID) by
 * which Analytics finds the hits that belong together. Share one between calls that belong to one page.
 */
export class Visitor implements VisitorLike {
  readonly #organizationId: string;
  readonly #values: AmcvValues;
  #customerIds: CustomerIdsByCode | undefined;
  #current: string | undefined;
  #currentConsumers: readonly string[] = NO_CONSUMERS;
  #last: string | undefined;
  #lastConsumers: readonly string[] = NO_CONSUMERS;

  constructor(organizationId: string, amcvCookie?: unknown) {
    this.#organizationId = organizationId;
    this.#values = parseAmcvCookie(amcvCookie);
  }

  getVisitorValues(): AmcvValues {
    return this.#values;
  }

  setCustomerIDs(customerIds: CustomerIdsByCode): void {
    this.#customerIds = toCustomerIdState(customerIds) as CustomerIdsByCode;
  }

  /** Takes an SDID that the caller made, for consumers to come. */
  adopt(supplementalDataId: string): void {
    if (this.#current !== undefined && this.#current !== supplementalDataId) this.#rotate();
    this.#current = supplementalDataId;
    this.#currentConsumers = NO_CONSUMERS;
  }

  /** One SDID for all consumers, until one of them asks a second time. */
  getSupplementalDataID(consumerId: string): string {
    if (this.#currentConsumers.includes(consumerId)) this.#rotate();
    this.#current ??= newSupplementalDataId();
    const consumers = this.#currentConsumers;
    this.#currentConsumers = consumers.length === 0 ? [consumerId] : [...consumers, consumerId];
    return this.#current;
  }

  #rotate(): void {
    this.#last = this.#current;
    this.#lastConsumers = this.#currentConsumers;
    this.#current = undefined;
    this.#currentConsumers = NO_CONSUMERS;
  }

  getState(): Record<string, unknown> {
    const sdid: Record<string, unknown> = {};
    if (this.#current !== undefined) sdid.supplementalDataIDCurrent = this.#current;
    sdid.supplementalDataIDCurrentConsumed = toConsumedState(this.#currentConsumers);
    if (this.#last !== undefined) sdid.supplementalDataIDLast = this.#last;
    sdid.supplementalDataIDLastConsumed = toConsumedState(this.#lastConsumers);
    const state = this.#customerIds ? { customerIDs: toCustomerIdState(this.#customerIds), sdid } : { sdid };
    return { [this.#organizationId]: state };
  }
}

function toConsumedState(consumers: readonly string[]): Record<string, true> {
  const [first] = consumers;
  if (first !== undefined && consumers.length === 1) return { ...stateOf(first) };
  const state: Record<string, true> = {};
  for (const consumer of consumers) state[`payload:${consumer}`] = true;
  return state;
}

let lastConsumer: string | undefined;
let lastState: Readonly<Record<string, true>> = {};

/** Callers have one consumer or a few: a name that is made anew costs as much as the rest of the state. */
function stateOf(consumer: string): Readonly<Record<string, true>> {
  if (consumer !== lastConsumer) {
    lastConsumer = consumer;
    lastState = { [`payload:${consumer}`]: true };
  }
  return lastState;
}

/** A copy: the caller may use the object again for the next visitor. */
function toCustomerIdState(customerIds: CustomerIdsByCode): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(customerIds)
      .filter(([, value]) => !isAnonymous(value))
      .map(([code, value]) => [
        code,
        typeof value === 'string' ? { id: value, authState: AUTH_STATE.UNKNOWN } : { ...value },
      ]),
  );
}

/** The `customerIds` option, in either form, as the Delivery API takes them. */
export function toCustomerIds(option: unknown): CustomerId[] {
  if (option === undefined || option === null) return [];
  if (typeof option !== 'object') throw invalidField('customerIds', 'an object or an array', option);
  const customerIds = Array.isArray(option) ? option.map(fromEntry) : Object.entries(option).map(fromPair);
  return customerIds.filter((customerId) => customerId !== undefined);
}

/** Before a login there is often no id yet, which is no mistake. */
function isAnonymous(value: unknown): boolean {
  const id = isObject(value) ? (value as { id?: unknown }).id : value;
  return id === undefined || id === null || id === '';
}

/** The `customerIds` option, in either form, as a visitor object takes them. */
export function toCustomerIdsByCode(option: CustomerIdsOption): CustomerIdsByCode {
  if (!Array.isArray(option)) return option as CustomerIdsByCode;
  return Object.fromEntries(
    toCustomerIds(option).map(({ id, integrationCode, authenticatedState }) => [
      integrationCode,
      { id, authState: AUTHENTICATED_STATES.indexOf(authenticatedState) as AuthStateNumber },
    ]),
  );
}

/** Paths count the customer ids: a code in a message might be an id that was written in its place. */
function fromPair([code, value]: [string, unknown], index: number): CustomerId | undefined {
  if (isAnonymous(value)) return undefined;
  const path = `customerIds[${index}]`;
  const integrationCode = toText(code, `${path}.integrationCode`, MAX_CODE_LENGTH);
  if (typeof value === 'string') {
    return { id: toText(value, path, MAX_ID_LENGTH), integrationCode, authenticatedState: 'unknown' };
  }
  const { id, authState = AUTH_STATE.UNKNOWN } = toRecord(value, path);
  const authenticatedState = typeof authState === 'number' ? AUTHENTICATED_STATES[authState] : undefined;
  if (!authenticatedState) throw invalidField(`${path}.authState`, 'one of 0, 1, 2', authState);
  return { id: toText(id, `${path}.id`, MAX_ID_LENGTH), integrationCode, authenticatedState };
}

function fromEntry(value: unknown, index: number): CustomerId | undefined {
  const path = `customerIds[${index}]`;
  const { id, integrationCode, authenticatedState = 'unknown' } = toRecord(value, path);
  if (id === '') return undefined;
  const state = AUTHENTICATED_STATES.find((known) => known === authenticatedState);
  if (!state) {
    const wanted = `one of ${AUTHENTICATED_STATES.join(', ')}`;
    throw invalidField(`${path}.authenticatedState`, wanted, authenticatedState);
  }
  return {
    id: toText(id, `${path}.id`, MAX_ID_LENGTH),
    integrationCode: toText(integrationCode, `${path}.integrationCode`, MAX_CODE_LENGTH),
    authenticatedState: state,
  };
}

function toText(value: unknown, path: string, maxLength: number): string {
  if (typeof value === 'string' && value.length <= maxLength) return value;
  throw invalidField(path, `a string of at most ${maxLength} characters`, value);
}

function toRecord(value: unknown, path: string): JsonRecord {
  if (isObject(value)) return value as JsonRecord;
  throw invalidField(path, 'customer ids', value);
}
