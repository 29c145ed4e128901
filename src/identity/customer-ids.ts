import { type AuthenticatedState, type CustomerId, EDGE_LIMITS } from '../delivery-api.js';
import { invalidField, TargetError, unreadableError } from '../errors.js';
import { ownOf } from '../inherited-names.js';
import {
  idToText,
  isAbsent,
  isObject,
  isRecord,
  itemsOf,
  type JsonRecord,
  MAX_ITEMS,
  ownJsonOf,
  Unreadable,
} from '../json.js';

/** The numbers that Experience Cloud gives to the login states of a customer. */
export const AUTH_STATE = { UNKNOWN: 0, AUTHENTICATED: 1, LOGGED_OUT: 2 } as const;

/** A number of `TargetClient.AuthState`: 0 for unknown, 1 for authenticated, 2 for logged out. */
export type AuthStateNumber = 0 | 1 | 2;

/**
 * The names that the Delivery API gives to the login states. Each is at the index that is its number in
 * {@link AUTH_STATE}.
 */
export const AUTHENTICATED_STATES = [
  'unknown',
  'authenticated',
  'logged_out',
] as const satisfies readonly AuthenticatedState[];

const { id: MAX_ID_LENGTH, integrationCode: MAX_CODE_LENGTH } = EDGE_LIMITS.CustomerId;
/** The empty list that all visitors without customer ids share. */
export const NO_CUSTOMER_IDS: readonly CustomerId[] = Object.freeze([]);

/**
 * A customer id in the form of Adobe's visitor service. A plain string or number is an id whose login state is unknown.
 */
export type CustomerIdOption =
  | string
  | number
  | {
      /**
       * The id, at most 128 characters. A number is sent as text. An empty or missing id is left out, because a visitor
       * who has not logged in has none yet.
       */
      readonly id: string | number | null | undefined;
      /**
       * The login state of the customer: a number of `TargetClient.AuthState`, or its name.
       * @default 0, which is `unknown`
       */
      readonly authState?: AuthStateOption | null | undefined;
      /** The login state under the name that the Delivery API gives to it. `authState` wins over it. */
      readonly authenticatedState?: AuthStateOption | null | undefined;
    };

/**
 * A login state as a caller may write it: its number, or its name in lower or upper case. The type takes any number,
 * because programs often hold the state as a number. A number that is no state is an error.
 */
export type AuthStateOption = number | AuthenticatedState | Uppercase<AuthenticatedState>;

/**
 * A customer id in the form of the Delivery API.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/identifying-visitors
 */
export interface CustomerIdEntry {
  /** The id, at most 128 characters. A number is sent as text. An entry with an empty or missing id is left out. */
  readonly id: string | number | null | undefined;
  /** The alias of the customer attributes data source in Experience Cloud, at most 50 characters. */
  readonly integrationCode: string;
  /** The login state of the customer. @default 'unknown' */
  readonly authenticatedState?: AuthStateOption | null | undefined;
  /** The login state under the name that Adobe's visitor service gives to it. `authenticatedState` wins over it. */
  readonly authState?: AuthStateOption | null | undefined;
}

/** Customer ids by integration code, which is at most 50 characters long. An entry without an id is left out. */
export type CustomerIdsByCode = Readonly<Record<string, CustomerIdOption | null | undefined>>;

/**
 * The type of the `customerIds` option: ids by integration code, or a list in the form of the Delivery API.
 *
 * @example
 * ```ts
 * const byCode: CustomerIdsOption = {
 *   crm: { id: 'customer-7', authState: TargetClient.AuthState.AUTHENTICATED },
 *   newsletter: 'reader-9',
 * };
 * const asList: CustomerIdsOption = [
 *   { id: 'customer-7', integrationCode: 'crm', authenticatedState: 'authenticated' },
 * ];
 * ```
 */
export type CustomerIdsOption = CustomerIdsByCode | readonly CustomerIdEntry[];

/** Fields of a customer id that may also be getters of its class. */
const ENTRY_FIELDS = ['id', 'integrationCode', 'authState', 'authenticatedState'] as const;

/**
 * Copies the `customerIds` option, so that nothing of the caller is read later. The error of a getter or a `toJSON` of
 * the caller names the option alone. A longer path would show an integration code, and somebody may have written an id
 * there by mistake.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for an option that cannot be read.
 */
export function readCustomerIds(
  option: CustomerIdsOption | null | undefined,
): CustomerIdsOption | null | undefined {
  if (!isObject(option)) {
    return option;
  }
  try {
    return isList(option)
      ? (entriesOf(option).map(readEntry) as CustomerIdEntry[])
      : (Object.fromEntries(
          Object.entries(option).map(([code, value]) => [code, readEntry(value)]),
        ) as CustomerIdsByCode);
  } catch (thrown) {
    throw thrown instanceof TargetError
      ? thrown
      : unreadableError(
          'ERR_TARGET_INVALID_REQUEST',
          'customerIds',
          Unreadable.is(thrown) ? thrown.cause : thrown,
        );
  }
}

function readEntry(value: unknown): unknown {
  if (!isRecord(value)) {
    return ownJsonOf(value);
  }
  const own = ownOf(value);
  // It has no prototype, so names on `Object.prototype` are none of its fields.
  const entry: Record<string, unknown> = Object.assign(Object.create(null), own);
  for (const name of ENTRY_FIELDS) {
    const field = own[name];
    if (field !== undefined) {
      entry[name] = ownJsonOf(field);
    }
  }
  return entry;
}

/**
 * Reads the `customerIds` option in either form, and returns the ids as the Delivery API takes them.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong id, integration code or login state.
 */
export function toCustomerIds(option: unknown): readonly CustomerId[] {
  if (option === undefined || option === null) {
    return NO_CUSTOMER_IDS;
  }
  if (!isObject(option)) {
    throw notCustomerIds(option);
  }
  const customerIds = Array.isArray(option)
    ? entriesOf(option).map(fromEntry)
    : pairsOf(option).map((pair, index) => fromPair(pair, `customerIds[${index}]`));
  return customerIds.filter((customerId) => customerId !== undefined);
}

/**
 * Reads the customer ids that a visitor object holds, by integration code. An id that Target does not take is left out
 * with a warning. It is no error of the call, because another program may have given it to the object.
 */
export function toHeldCustomerIds(held: JsonRecord, warn: (why: string) => void): readonly CustomerId[] {
  const customerIds: CustomerId[] = [];
  for (const [index, pair] of pairsOf(held).entries()) {
    try {
      const customerId = fromPair(pair, `visitor.customerIDs[${index}]`);
      if (customerId) {
        customerIds.push(customerId);
      }
    } catch (thrown) {
      if (!(thrown instanceof TargetError)) {
        throw thrown;
      }
      warn(thrown.message);
    }
  }
  return customerIds;
}

function notCustomerIds(option: unknown): TargetError {
  return invalidField('customerIds', 'an object or an array', option);
}

function entriesOf(option: readonly unknown[]): unknown[] {
  if (option.length <= MAX_ITEMS) {
    return itemsOf(option);
  }
  throw invalidField('customerIds', `an array of at most ${EDGE_LIMITS.VisitorId.customerIds}`, option);
}

/**
 * Returns the customer ids of the `customerIds` option, in either form, as visitor objects take them.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that is no object, and for a list with a wrong entry.
 */
export function toCustomerIdsByCode(option: CustomerIdsOption | null | undefined): CustomerIdsByCode {
  if (isAbsent(option)) {
    return {};
  }
  if (!isObject(option)) {
    throw notCustomerIds(option);
  }
  if (!isList(option)) {
    return Object.fromEntries(pairsOf(option).map(toOwnPair)) as CustomerIdsByCode;
  }
  return Object.fromEntries(
    toCustomerIds(option).map(({ id, integrationCode, authenticatedState }) => [
      integrationCode,
      { id, authState: numberOf(authenticatedState) },
    ]),
  );
}

/** Converts one customer id for a visitor object, which expects texts as ids and numbers as login states. */
function toOwnPair([code, value]: [string, unknown]): [string, unknown] {
  const isEmpty = typeof value === 'string' || isAnonymous(value);
  return [code, isEmpty ? (isRecord(value) ? { ...value } : value) : toState(value)];
}

/** Copies customer ids in the form that `visitorState` has. The caller may change the original for the next visitor. */
export function toCustomerIdState(customerIds: JsonRecord): JsonRecord {
  return Object.fromEntries(
    pairsOf(customerIds)
      .filter(([, value]) => !isAnonymous(value))
      .map(([code, value]) => [code, toState(value)]),
  );
}

/**
 * Returns the Delivery API's name of a login state. The state is given by its name in any case, or by its number as
 * number or text. A missing state is `unknown`. A value that is no state gives `undefined`.
 */
export function toAuthenticatedState(given: unknown): AuthenticatedState | undefined {
  if (isAbsent(given)) {
    return 'unknown';
  }
  if (typeof given === 'number') {
    return AUTHENTICATED_STATES[given];
  }
  if (typeof given !== 'string') {
    return undefined;
  }
  const name = given.toLowerCase();
  return AUTHENTICATED_STATES.find((known, number) => known === name || String(number) === name);
}

/** Tells whether customer ids are a list. `Array.isArray` alone does not narrow the type of a read-only list. */
function isList(option: CustomerIdsOption): option is readonly CustomerIdEntry[] {
  return Array.isArray(option);
}

function numberOf(state: AuthenticatedState): AuthStateNumber {
  if (state === 'authenticated') {
    return AUTH_STATE.AUTHENTICATED;
  }
  return state === 'logged_out' ? AUTH_STATE.LOGGED_OUT : AUTH_STATE.UNKNOWN;
}

function toState(value: unknown): unknown {
  if (!isRecord(value)) {
    return { id: idToText(value), authState: AUTH_STATE.UNKNOWN };
  }
  const { id } = value;
  const text = idToText(id) ?? id;
  const given = value[stateNameIn(value, ['authState', 'authenticatedState'])];
  const state = given === undefined ? undefined : toAuthenticatedState(given);
  return state === undefined ? { ...value, id: text } : { ...value, id: text, authState: numberOf(state) };
}

/** Tells whether an entry has no id. That is no mistake, because a visitor often has none before the login. */
function isAnonymous(value: unknown): boolean {
  return isAbsent(isRecord(value) ? value.id : value);
}

/** Lists ids by integration code. An object with a method `toJSON`, such as the id of a database, is an id itself. */
function pairsOf(byCode: object): [string, unknown][] {
  return Object.entries(byCode).map(([code, value]) => [code, ownJsonOf(value)]);
}

/**
 * Converts one pair of integration code and id. The path has the position of the pair instead of its code, because
 * somebody may have written an id where the code belongs, and errors must not show ids.
 */
function fromPair([code, value]: readonly [string, unknown], path: string): CustomerId | undefined {
  if (isAnonymous(value)) {
    return undefined;
  }
  const integrationCode = toText(code, `${path}.integrationCode`, MAX_CODE_LENGTH);
  if (!isRecord(value)) {
    return { id: toText(value, path, MAX_ID_LENGTH), integrationCode, authenticatedState: 'unknown' };
  }
  const authenticatedState = stateIn(value, ['authState', 'authenticatedState'], path);
  return { id: toText(value.id, `${path}.id`, MAX_ID_LENGTH), integrationCode, authenticatedState };
}

/**
 * Converts one entry of a list. An empty entry is left out. So is one without an id, because that visitor has not
 * logged in yet.
 */
function fromEntry(value: unknown, index: number): CustomerId | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  const path = `customerIds[${index}]`;
  if (!isRecord(value)) {
    throw invalidField(path, 'an object with id and integrationCode', value);
  }
  const { id, integrationCode } = value;
  if (isAbsent(id)) {
    return undefined;
  }
  const state = stateIn(value, ['authenticatedState', 'authState'], path);
  return {
    id: toText(id, `${path}.id`, MAX_ID_LENGTH),
    integrationCode: toText(integrationCode, `${path}.integrationCode`, MAX_CODE_LENGTH),
    authenticatedState: state,
  };
}

/** Reads the login state of a customer id. `names` are the names that its two forms give to the state. */
function stateIn(value: JsonRecord, names: readonly [string, string], path: string): AuthenticatedState {
  const name = stateNameIn(value, names);
  const state = toAuthenticatedState(value[name]);
  if (state) {
    return state;
  }
  throw invalidField(`${path}.${name}`, `one of 0, 1, 2, ${AUTHENTICATED_STATES.join(', ')}`, value[name]);
}

/**
 * Returns the name under which a customer id has its login state. The names of both forms are read in both forms,
 * because an overlooked state would count a logged-in customer as unknown.
 */
function stateNameIn(value: JsonRecord, [own, other]: readonly [string, string]): string {
  return isAbsent(value[own]) && !isAbsent(value[other]) ? other : own;
}

/** Returns an id or a code as text. Databases and forms may hold it as a number or a boolean. */
function toText(value: unknown, path: string, maxLength: number): string {
  const text = idToText(value);
  if (text !== undefined && text.length <= maxLength) {
    return text;
  }
  throw invalidField(path, `a string of at most ${maxLength} characters`, value);
}
