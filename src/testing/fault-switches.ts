import { FAULT_KINDS, type Fault } from './faults.js';
import type { ReceivedRequest, RequestFilter } from './request-log.js';
import { isMeant } from './request-log.js';

/** Which requests a fault meets, and when. */
export interface FaultScope {
  /** Only the next so many of the requests that are meant. @default until cleared */
  readonly times?: number;
  /** Only requests to this path, or that fit the predicate. @default all */
  readonly where?: RequestFilter;
  /** Milliseconds before the fault begins. @default 0 */
  readonly delayMs?: number;
}

/** A fault that is switched on. */
export interface FaultSwitch {
  /** How many requests have met it. */
  readonly hits: number;
  /** Switches it off for requests to come. */
  clear(): void;
}

/** A fault that a request has met, and when it begins. */
export interface DueFault {
  readonly fault: Fault;
  readonly delayMs: number;
}

interface ActiveFault extends DueFault {
  readonly where: RequestFilter | undefined;
  readonly times: number;
  hits: number;
}

/** The faults that are switched on: a request meets the first one, in the order of switching on, that is meant for it. */
export class FaultSwitches {
  readonly #active = new Set<ActiveFault>();

  /** Switches a fault on. Throws a TypeError for a kind that there is not, and for a status that HTTP does not have. */
  add(fault: Fault, { times = Number.POSITIVE_INFINITY, where, delayMs = 0 }: FaultScope = {}): FaultSwitch {
    // Later it would be thrown where nobody can catch it.
    if (!FAULT_KINDS.has(fault?.kind))
      throw new TypeError(`fault: kind must be one of ${[...FAULT_KINDS].join(', ')}`);
    if (
      fault.kind === 'status' &&
      !(Number.isInteger(fault.status) && fault.status >= 200 && fault.status <= 999)
    )
      throw new TypeError('fault: status must be an integer from 200 to 999');
    const active: ActiveFault = { fault, delayMs, where, times, hits: 0 };
    this.#active.add(active);
    return {
      get hits() {
        return active.hits;
      },
      clear: () => {
        this.#active.delete(active);
      },
    };
  }

  /** Switches all of them off. */
  clear(): void {
    this.#active.clear();
  }

  /** The fault that a request meets, counted as met. */
  meet(request: ReceivedRequest): DueFault | undefined {
    for (const active of this.#active) {
      if (active.hits >= active.times) this.#active.delete(active);
      else if (isMeant(request, active.where)) {
        active.hits += 1;
        return active;
      }
    }
    return undefined;
  }
}
