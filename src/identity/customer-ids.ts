import { type AuthenticatedState, type CustomerId, EDGE_LIMITS } from '../delivery-api.js';
import { invalidField, TargetError } from '../errors.js';
import { idToText, isObject, isRecord, itemsOf, type JsonRecord } from '../json.js';

/** Whether a customer is logged in, as Experience Cloud counts it. */
export const AUTH_STATE = { UNKNOWN: 0, AUTHENTICATED: 1, LOGGED_OUT: 2 } as const;

/** One of the numbers of `TargetClient.AuthState`. */
export type AuthStateNumber = (typeof AUTH_STATE)[keyof typeof AUTH_STATE];

/** The Delivery API's names of the states, each at the place of its number in {@link AUTH_STATE}. */
export const AUTHENTICATED_STATES = [
  'unknown',
  'authenticated',
  'logged_out',
] as const satisfies readonly AuthenticatedState[];

const { id: MAX_ID_LENGTH, integrationCode: MAX_CODE_LENGTH } = EDGE_LIMITS.CustomerId;
/** The customer ids of a visitor who has none. */
export const NO_CUSTOMER_IDS: readonly CustomerId[] = Object.freeze([]);

/** A customer id as Experience Cloud's visitor API takes it; a plain string or number is an id of unknown state. */
export type CustomerIdOption =
  | string
  | number
  | {
      readonly id: string | number | null | undefined;
      /** One of `TargetClient.AuthState`, or its name. @default 0, which is `unknown` */
      readonly authState?: AuthStateOption | null | undefined;
    };

/** A state as it may be given: the number of one, which programs often hold as any number, or its name. */
export type AuthStateOption = number | AuthenticatedState | Uppercase<AuthenticatedState>;

/** A customer id in the Delivery API's own form. */
export interface CustomerIdEntry {
  readonly id: string | number;
  readonly integrationCode: string;
  /** @default 'unknown' */
  readonly authenticatedState?: AuthStateOption | null | undefined;
}

/** Customer ids by integration code; one without an id is left out. */
export type CustomerIdsByCode = Readonly<Record<string, CustomerIdOption | null | undefined>>;

/** Customer ids by integration code, or a list of them in the Delivery API's form. */
export type CustomerIdsOption = CustomerIdsByCode | readonly CustomerIdEntry[];

/** The `customerIds` option, in either form, as the Delivery API takes them. */
export function toCustomerIds(option: unknown): readonly CustomerId[] {
  if (option === undefined || option === null) return NO_CUSTOMER_IDS;
  if (!isObject(option)) throw invalidField('customerIds', 'an object or an array', option);
  const customerIds = Array.isArray(option)
    ? entriesOf(option).map(fromEntry)
    : Object.entries(option).map((pair, index) => fromPair(pair, `customerIds[${index}]`));
  return customerIds.filter((customerId) => customerId !== undefined);
}

/**
 * Reads the customer ids that a visitor object holds, by integration code. One that Target does not take is left out and
 * told of, because whoever gave it to the object may be another than the caller.
 */
export function toHeldCustomerIds(held: JsonRecord, tell: (why: string) => void): readonly CustomerId[] {
  const customerIds: CustomerId[] = [];
  for (const [index, pair] of Object.entries(held).entries()) {
    try {
      const customerId = fromPair(pair, `visitor.customerIDs[${index}]`);
      if (customerId) customerIds.push(customerId);
    } catch (thrown) {
      if (!(thrown instanceof TargetError)) throw thrown;
      tell(thrown.message);
    }
  }
  return customerIds;
}

/** A sparse array may claim four thousand million entries. */
const MAX_ENTRIES = 100_000;

function entriesOf(option: readonly unknown[]): unknown[] {
  if (option.length <= MAX_ENTRIES) return itemsOf(option);
  throw invalidField('customerIds', `an array of at most ${EDGE_LIMITS.VisitorId.customerIds}`, option);
}

/** The `customerIds` option, in either form, as a visitor object takes them. */
export function toCustomerIdsByCode(option: CustomerIdsOption): CustomerIdsByCode {
  if (!isList(option)) return Object.fromEntries(Object.entries(option).map(toOwnPair)) as CustomerIdsByCode;
  return Object.fromEntries(
    toCustomerIds(option).map(({ id, integrationCode, authenticatedState }) => [
      integrationCode,
      { id, authState: numberOf(authenticatedState) },
    ]),
  );
}

/** A value that says the same in another type is converted, for visitor objects expect texts and numbers of states. */
function toOwnPair([code, value]: [string, unknown]): [string, unknown] {
  return [code, typeof value === 'string' || isAnonymous(value) ? value : toState(value)];
}

/** Customer ids as `visitorState` has them. A copy: the caller may use the object again for the next visitor. */
export function toCustomerIdState(customerIds: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(customerIds)
      .filter(([, value]) => !isAnonymous(value))
      .map(([code, value]) => [code, toState(value)]),
  );
}

/**
 * The Delivery API's name of a state that was given by name, in any case, or by number, as number or as text. A state
 * that is not given is `unknown`; undefined stands for a value that is no state.
 */
export function toAuthenticatedState(given: unknown): AuthenticatedState | undefined {
  if (given === undefined || given === null || given === '') return 'unknown';
  if (typeof given === 'number') return AUTHENTICATED_STATES[given];
  if (typeof given !== 'string') return undefined;
  const name = given.toLowerCase();
  return AUTHENTICATED_STATES.find((known, number) => known === name || String(number) === name);
}

/** `Array.isArray` does not know of read-only lists. */
function isList(option: CustomerIdsOption): option is readonly CustomerIdEntry[] {
  return Array.isArray(option);
}

function numberOf(state: AuthenticatedState): AuthStateNumber {
  if (state === 'authenticated') return AUTH_STATE.AUTHENTICATED;
  return state === 'logged_out' ? AUTH_STATE.LOGGED_OUT : AUTH_STATE.UNKNOWN;
}

function toState(value: unknown): unknown {
  if (!isRecord(value)) return { id: idToText(value), authState: AUTH_STATE.UNKNOWN };
  const { id, authState, authenticatedState } = value;
  const text = idToText(id) ?? id;
  const given = authState === undefined ? authenticatedState : authState;
  const state = given === undefined ? undefined : toAuthenticatedState(given);
  return state === undefined ? { ...value, id: text } : { ...value, id: text, authState: numberOf(state) };
}

/** Before a login there is often no id yet, which is no mistake. */
function isAnonymous(value: unknown): boolean {
  const id = isRecord(value) ? value.id : isObject(value) ? undefined : value;
  return id === undefined || id === null || id === '';
}

/** Paths count the customer ids: a code in a message might be an id that was written in its place. */
function fromPair([code, value]: readonly [string, unknown], path: string): CustomerId | undefined {
  if (isAnonymous(value)) return undefined;
  const integrationCode = toText(code, `${path}.integrationCode`, MAX_CODE_LENGTH);
  if (!isRecord(value)) {
    return { id: toText(value, path, MAX_ID_LENGTH), integrationCode, authenticatedState: 'unknown' };
  }
  const authenticatedState = stateIn(value, ['authState', 'authenticatedState'], path);
  return { id: toText(value.id, `${path}.id`, MAX_ID_LENGTH), integrationCode, authenticatedState };
}

/** An empty entry says nothing, and one with an empty id is of somebody who has not logged in yet. */
function fromEntry(value: unknown, index: number): CustomerId | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const path = `customerIds[${index}]`;
  if (!isObject(value)) throw invalidField(path, 'customer ids', value);
  const { id, integrationCode } = value as JsonRecord;
  if (id === '') return undefined;
  const state = stateIn(value as JsonRecord, ['authenticatedState', 'authState'], path);
  return {
    id: toText(id, `${path}.id`, MAX_ID_LENGTH),
    integrationCode: toText(integrationCode, `${path}.integrationCode`, MAX_CODE_LENGTH),
    authenticatedState: state,
  };
}

/**
 * Reads the state of a customer id. Each form has its own name for it, and takes the other's too: a state that is not
 * found would count somebody as unknown who is logged in.
 */
function stateIn(value: JsonRecord, names: readonly [string, string], path: string): AuthenticatedState {
  const [own, other] = names;
  const name = isGiven(value[own]) || !isGiven(value[other]) ? own : other;
  const state = toAuthenticatedState(value[name]);
  if (state) return state;
  throw invalidField(`${path}.${name}`, `one of 0, 1, 2, ${AUTHENTICATED_STATES.join(', ')}`, value[name]);
}

function isGiven(state: unknown): boolean {
  return state !== undefined && state !== null && state !== '';
}

/** A text, or a number or a boolean as text: databases and forms give ids as either. */
function toText(value: unknown, path: string, maxLength: number): string {
  const text = idToText(value);
  if (text !== undefined && text.length <= maxLength) return text;
  throw invalidField(path, `a string of at most ${maxLength} characters`, value);
}
