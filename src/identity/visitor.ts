import { invalidField } from '../errors.js';
import { isRecord, type JsonRecord } from '../json.js';
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
const METHODS = ['getState', 'getVisitorValues', 'getSupplementalDataID'] as const;

/** Tells whether a visitor object is given; one that cannot be asked is an error. */
export function isVisitor(visitor: unknown): visitor is VisitorLike {
  if (visitor === undefined || visitor === null) return false;
  if (isRecord(visitor) && METHODS.every((name) => typeof visitor[name] === 'function')) return true;
  throw invalidField('visitor', `an object with ${METHODS.join(', ')}`, visitor);
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
