import { quietly } from '../call-safely.js';
import { invalidField, TargetError, unreadableError } from '../errors.js';
import { isRecord, isThenable, type JsonRecord } from '../json.js';
import { type AmcvValues, parseAmcvCookie } from './amcv-cookie.js';
import { type CustomerIdsByCode, toCustomerIdState } from './customer-ids.js';
import { newSupplementalDataId } from './ids.js';

/** The methods that a visitor object must have, the SDK's own or one that the caller shares between calls. */
export interface VisitorLike {
  /** Returns the state for the browser's `Visitor.getInstance(org, {serverState})`. */
  getState(): unknown;
  /** At least MCMID, MCAAMLH and MCAAMB where they are known. */
  getVisitorValues(): unknown;
  getSupplementalDataID(consumerId: string): string;
  setCustomerIDs?(customerIds: CustomerIdsByCode): void;
  /** Returns the customer ids that it holds, by integration code. @default those of `getState` */
  getCustomerIDs?(): unknown;
  /** Takes the supplemental data id that a request has of its own, as used by the consumer. */
  adopt?(supplementalDataId: string, consumerId: string): void;
}

const NO_CONSUMERS: readonly string[] = Object.freeze([]);
const REQUIRED = ['getState', 'getVisitorValues', 'getSupplementalDataID'] as const;
/** Methods that only some visitor objects have. */
const OPTIONAL = ['setCustomerIDs', 'getCustomerIDs', 'adopt'] as const;

/** Tells whether a visitor object is given; one that cannot be asked is an error. */
export function isVisitor(visitor: unknown): visitor is VisitorLike {
  if (visitor === undefined || visitor === null) return false;
  if (isRecord(visitor) && REQUIRED.every((name) => typeof methodOf(visitor, name) === 'function'))
    return true;
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
 * Returns an object that asks a visitor object of the caller's, and names the method that throws or is asynchronous. A
 * visitor of this copy of the package needs none.
 */
export function guarded(visitor: VisitorLike): VisitorLike {
  if (Visitor.isOwn(visitor)) return visitor;
  const known = guards.get(visitor);
  if (known) return known;
  const methods = visitor as unknown as JsonRecord;
  const guard: Record<string, Method> = {};
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    if (methodOf(methods, name)) guard[name] = (...given) => ask(methods, name, given);
  }
  guards.set(visitor, guard as unknown as VisitorLike);
  return guard as unknown as VisitorLike;
}

/** What is thrown is the caller's own, and stays the cause. A promise cannot be an answer: who the visitor is would be lost in silence. */
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
  if (!isPromise) return answer;
  quietly(() => answer);
  if (name === 'setCustomerIDs' || name === 'adopt') return undefined;
  const path = `visitor.${name}`;
  const message = `${path} must return its answer, not a promise of it`;
  throw new TargetError('ERR_TARGET_INVALID_REQUEST', message, { path });
}

/**
 * The Experience Cloud visitor of one caller: the ids of an AMCV cookie, and the supplemental data id (SDID) by
 * which Analytics finds the hits that belong together. Share one between calls that belong to one page.
 */
export class Visitor implements VisitorLike {
  readonly #organizationId: string;
  readonly #values: AmcvValues;
  readonly #newSupplementalDataId: () => string;
  #customerIds: JsonRecord | undefined;
  #current: string | undefined;
  #currentConsumers: readonly string[] = NO_CONSUMERS;
  #last: string | undefined;
  #lastConsumers: readonly string[] = NO_CONSUMERS;

  /** Tells a visitor of this copy of the package from all other objects. @internal */
  static isOwn(visitor: object): visitor is Visitor {
    return #organizationId in visitor;
  }

  /** `newId` makes the SDIDs; only a test has a reason to give one. */
  constructor(organizationId: string, amcvCookie?: unknown, newId: () => string = newSupplementalDataId) {
    this.#organizationId = organizationId;
    this.#values = parseAmcvCookie(amcvCookie);
    this.#newSupplementalDataId = newId;
  }

  getVisitorValues(): AmcvValues {
    return this.#values;
  }

  setCustomerIDs(customerIds: CustomerIdsByCode): void {
    this.#customerIds = toCustomerIdState(customerIds);
  }

  /** The customer ids of `setCustomerIDs`, by integration code. */
  getCustomerIDs(): JsonRecord | undefined {
    return this.#customerIds && toCustomerIdState(this.#customerIds);
  }

  /** Takes an SDID that the caller made, as used by the consumer. Other consumers get it too. */
  adopt(supplementalDataId: string, consumerId: string): void {
    if (this.#current !== undefined && this.#current !== supplementalDataId) this.#rotate();
    this.#current = supplementalDataId;
    this.#currentConsumers = withConsumer(this.#currentConsumers, consumerId);
  }

  /**
   * One SDID for all consumers, until one of them asks a second time and gets a new one. Consumers who have not used
   * the one before it get that first, so that all of them use the same ids in the same order.
   */
  getSupplementalDataID(consumerId: string): string {
    if (this.#last !== undefined && !this.#lastConsumers.includes(consumerId)) {
      this.#lastConsumers = withConsumer(this.#lastConsumers, consumerId);
      return this.#last;
    }
    if (this.#currentConsumers.includes(consumerId)) this.#rotate();
    this.#current ??= this.#newSupplementalDataId();
    this.#currentConsumers = withConsumer(this.#currentConsumers, consumerId);
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

function withConsumer(consumers: readonly string[], consumerId: string): readonly string[] {
  if (consumers.length === 0) return [consumerId];
  return consumers.includes(consumerId) ? consumers : [...consumers, consumerId];
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
