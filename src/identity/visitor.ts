import { quietly } from '../call-safely.js';
import { invalidField, TargetError, unreadableError } from '../errors.js';
import { setField } from '../inherited-names.js';
import { isRecord, isThenable, type JsonRecord } from '../json.js';
import { type AmcvValues, parseAmcvCookie } from './amcv-cookie.js';
import { type CustomerIdsByCode, toCustomerIdState, toCustomerIdsByCode } from './customer-ids.js';
import { newSupplementalDataId } from './supplemental-data-id.js';

/**
 * The methods of a visitor object. The calls of one page share the object: a {@link Visitor}, or an object of
 * `@adobe-mcid/visitor-js-server`. A call rejects with `ERR_TARGET_INVALID_REQUEST` when a method throws, or returns a
 * promise instead of its value.
 */
export interface VisitorLike {
  /** Returns the state for `Visitor.getInstance(organizationId, { serverState })` in the browser. */
  getState(): unknown;
  /** Returns the values of the AMCV cookie: at least `MCMID`, `MCAAMLH` and `MCAAMB` where they are known. */
  getVisitorValues(): unknown;
  /** Returns the supplemental data id for one call of a consumer. It is ignored when it has a wrong form. */
  getSupplementalDataID(consumerId: string): string;
  /** Replaces the customer ids that the object holds. It may be asynchronous, because its result is not used. */
  setCustomerIDs?(customerIds: CustomerIdsByCode): void;
  /** Returns the customer ids that the object holds, by integration code. @default the ids in `getState()` */
  getCustomerIDs?(): unknown;
  /** Takes a supplemental data id that comes from a request, and counts it as used by the consumer. */
  adopt?(supplementalDataId: string, consumerId: string): void;
}

const REQUIRED = ['getState', 'getVisitorValues', 'getSupplementalDataID'] as const;
/** The methods that only some visitor objects have. */
const OPTIONAL = ['setCustomerIDs', 'getCustomerIDs', 'adopt'] as const;

/**
 * Tells whether a visitor object is given.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that lacks one of the required methods.
 */
export function isVisitor(visitor: unknown): visitor is VisitorLike {
  if (visitor === undefined || visitor === null) {
    return false;
  }
  if (isRecord(visitor) && REQUIRED.every((name) => typeof methodOf(visitor, name) === 'function')) {
    return true;
  }
  throw invalidField('visitor', `an object with ${REQUIRED.join(', ')}`, visitor);
}

type Method = (...given: unknown[]) => unknown;

function methodOf(visitor: JsonRecord, name: string): Method | undefined {
  try {
    const method = visitor[name];
    return typeof method === 'function' ? (method as Method) : undefined;
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', `visitor.${name}`, cause);
  }
}

const guards = new WeakMap<object, VisitorLike>();

/**
 * Returns an object that calls the methods of the caller's visitor object. Its errors name the method that threw or
 * returned a promise. A visitor of this copy of the package is returned as it is.
 */
export function guarded(visitor: VisitorLike): VisitorLike {
  if (Visitor.isOwn(visitor)) {
    return visitor;
  }
  const known = guards.get(visitor);
  if (known) {
    return known;
  }
  const methods = visitor as unknown as JsonRecord;
  const guard: Record<string, Method> = {};
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    if (methodOf(methods, name)) {
      setField(guard, name, (...given) => ask(methods, name, given));
    }
  }
  guards.set(visitor, guard as unknown as VisitorLike);
  return guard as unknown as VisitorLike;
}

/**
 * Calls a method of a visitor object. An error that the caller's own method throws becomes the `cause`. A promise is an
 * error, because the visitor's ids would be lost, and nobody would notice. Methods whose result is not used may return
 * one.
 */
function ask(visitor: JsonRecord, name: string, given: readonly unknown[]): unknown {
  let answer: unknown;
  let isPromise: boolean;
  try {
    const method = visitor[name];
    answer = typeof method === 'function' ? Reflect.apply(method, visitor, given) : undefined;
    isPromise = isThenable(answer);
  } catch (cause) {
    const path = `visitor.${name}`;
    throw new TargetError('ERR_TARGET_INVALID_REQUEST', `${path} threw`, { path, cause });
  }
  if (!isPromise) {
    return answer;
  }
  quietly(() => answer);
  if (name === 'setCustomerIDs' || name === 'adopt') {
    return undefined;
  }
  const path = `visitor.${name}`;
  const message = `${path} must return its answer, not a promise of it`;
  throw new TargetError('ERR_TARGET_INVALID_REQUEST', message, { path });
}

/**
 * The Experience Cloud visitor of one page. It has the ids of the AMCV cookie, and draws the supplemental data ids
 * (SDIDs) by which Analytics joins the hits of one page. Make one for each request of a browser, and share it between
 * the calls for that page. Each of the calls needs a `consumerId` of its own.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/integration/ecid
 *
 * @example
 * ```ts
 * const visitor = new Visitor('1234567890@AdobeOrg', amcvCookie);
 * visitor.setCustomerIDs({ crm: { id: 'customer-7', authState: TargetClient.AuthState.AUTHENTICATED } });
 * const header = await client.getOffers({ request, visitor, consumerId: 'header' });
 * const footer = await client.getOffers({ request, visitor, consumerId: 'footer' });
 * // The state of the last answer goes into the page.
 * const state = footer.visitorState;
 * ```
 */
export class Visitor implements VisitorLike {
  readonly #organizationId: string;
  readonly #values: AmcvValues;
  readonly #newSupplementalDataId: () => string;
  #customerIds: JsonRecord | undefined;
  #current: string | undefined;
  #currentConsumers: string[] | undefined;
  #last: string | undefined;
  #lastConsumers: string[] | undefined;
  #pageConsumer: string | undefined;

  /** Tells whether an object is a visitor of this copy of the package. @internal */
  static isOwn(visitor: object): visitor is Visitor {
    return #organizationId in visitor;
  }

  /**
   * Makes the visitor of one page. All calls of the consumer that is named here get one SDID, however many there are, so
   * the state of the visitor does not grow with them. Other consumers get SDIDs as always.
   * @internal
   */
  static ofPage(
    organizationId: string,
    amcvCookie: unknown,
    consumerId: string,
    newId: () => string,
  ): Visitor {
    const visitor = new Visitor(organizationId, amcvCookie, newId);
    visitor.#pageConsumer = consumerId;
    return visitor;
  }

  /**
   * Makes a visitor. A malformed cookie counts as absent, and nothing throws.
   * @param organizationId the id of the IMS organization, such as `1234567890@AdobeOrg`.
   * @param amcvCookie the value of the AMCV cookie, percent-encoded or not.
   * @param newId a function that makes a supplemental data id (SDID). Only tests have a reason to pass one.
   */
  constructor(organizationId: string, amcvCookie?: unknown, newId: () => string = newSupplementalDataId) {
    this.#organizationId = organizationId;
    this.#values = parseAmcvCookie(amcvCookie);
    this.#newSupplementalDataId = newId;
  }

  /** Returns the ECID, and the region and blob of Audience Manager, as the AMCV cookie has them. */
  getVisitorValues(): AmcvValues {
    return this.#values;
  }

  /**
   * Replaces the customer ids of the visitor with a copy of the given ones. Entries without an id are left out. Each
   * call that shares the visitor sends the ids.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` when the ids are a text or a number.
   */
  setCustomerIDs(customerIds: CustomerIdsByCode): void {
    this.#customerIds = toCustomerIdState(toCustomerIdsByCode(customerIds));
  }

  /** Returns a copy of the customer ids that were set, by integration code. It is `undefined` when none were. */
  getCustomerIDs(): JsonRecord | undefined {
    return this.#customerIds && toCustomerIdState(this.#customerIds);
  }

  /**
   * Takes a supplemental data id (SDID) that the caller has made, and counts it as used by the consumer. Other
   * consumers get it too.
   */
  adopt(supplementalDataId: string, consumerId: string): void {
    if (this.#current !== undefined && this.#current !== supplementalDataId) {
      this.#rotate();
    }
    this.#current = supplementalDataId;
    this.#currentConsumers = withConsumer(this.#currentConsumers, consumerId);
  }

  /**
   * Returns the supplemental data id (SDID) for one call of a consumer. All consumers get the same SDID. A consumer
   * that asks a second time gets a new SDID. A consumer that has not used the previous SDID gets the previous one
   * first. So all consumers use the same SDIDs in the same order.
   */
  getSupplementalDataID(consumerId: string): string {
    const isOfPage = consumerId === this.#pageConsumer;
    if (this.#last !== undefined && (isOfPage || !this.#lastConsumers?.includes(consumerId))) {
      this.#lastConsumers = withConsumer(this.#lastConsumers, consumerId);
      return this.#last;
    }
    if (!isOfPage && this.#currentConsumers?.includes(consumerId)) {
      this.#rotate();
    }
    this.#current ??= this.#newSupplementalDataId();
    this.#currentConsumers = withConsumer(this.#currentConsumers, consumerId);
    return this.#current;
  }

  #rotate(): void {
    this.#last = this.#current;
    this.#lastConsumers = this.#currentConsumers;
    this.#current = undefined;
    this.#currentConsumers = undefined;
  }

  /**
   * Returns the state for `Visitor.getInstance(organizationId, { serverState })` in the browser, by organization: the
   * customer ids, and the SDIDs with the consumers that have used them.
   */
  getState(): Record<string, unknown> {
    const sdid = this.#getSdidState();
    const state = this.#customerIds ? { customerIDs: toCustomerIdState(this.#customerIds), sdid } : { sdid };
    return { [this.#organizationId]: state };
  }

  /** The fields are written in literals, because an assignment fails when objects inherit a getter of its name. */
  #getSdidState(): object {
    const supplementalDataIDCurrentConsumed = toConsumedState(this.#currentConsumers);
    const supplementalDataIDLastConsumed = toConsumedState(this.#lastConsumers);
    if (this.#current === undefined) {
      return { supplementalDataIDCurrentConsumed, supplementalDataIDLastConsumed };
    }
    const supplementalDataIDCurrent = this.#current;
    return this.#last === undefined
      ? { supplementalDataIDCurrent, supplementalDataIDCurrentConsumed, supplementalDataIDLastConsumed }
      : {
          supplementalDataIDCurrent,
          supplementalDataIDCurrentConsumed,
          supplementalDataIDLast: this.#last,
          supplementalDataIDLastConsumed,
        };
  }
}

/** Adds a consumer to a list, which a copy for each of many consumers would make slow. */
function withConsumer(consumers: string[] | undefined, consumerId: string): string[] {
  if (!consumers) {
    return [consumerId];
  }
  if (!consumers.includes(consumerId)) {
    consumers.push(consumerId);
  }
  return consumers;
}

function toConsumedState(consumers: readonly string[] | undefined): Record<string, true> {
  const first = consumers?.[0];
  if (!consumers || first === undefined) {
    return {};
  }
  if (consumers.length === 1) {
    return { ...stateOf(first) };
  }
  return Object.fromEntries(consumers.map((consumer) => [`payload:${consumer}`, true]));
}

let lastConsumer: string | undefined;
let lastState: Readonly<Record<string, true>> = {};

/**
 * Returns the state for one consumer. The last one is kept, because programs have one consumer or a few, and a name
 * that is made anew costs as much time as the rest of the state.
 */
function stateOf(consumer: string): Readonly<Record<string, true>> {
  if (consumer !== lastConsumer) {
    lastConsumer = consumer;
    lastState = { [`payload:${consumer}`]: true };
  }
  return lastState;
}
