import { FAULT_FIELDS, type Fault } from './faults.js';
import { refuseUnknown } from './known-options.js';
import type { ReceivedRequest, RequestFilter } from './request-log.js';
import { checkFilter, isMeant } from './request-log.js';

/** The requests that a fault applies to, and its timing. */
export interface FaultScope {
  /** The number of matching requests that get the fault; later ones get the usual answer. @default until `clear()` */
  readonly times?: number;
  /**
   * Limits the fault to requests to this path, such as `/rest/v1/delivery`, or that match this pattern or predicate.
   * @default all requests
   */
  readonly where?: RequestFilter;
  /** The time in ms before the fault begins. @default 0 */
  readonly delayMs?: number;
}

/** A fault that is switched on. */
export interface FaultSwitch {
  /** The number of requests that got the fault. */
  readonly hits: number;
  /** Switches the fault off for later requests. */
  clear(): void;
}

/** The fault of one request. */
export interface DueFault {
  readonly fault: Fault;
  /** The time in ms before the fault begins. */
  readonly delayMs: number;
}

/** A fault that is switched on, for people. */
export interface ListedFault extends FaultSwitch {
  readonly id: number;
  readonly fault: Fault;
  /** The number of requests that will still get it; `undefined` when there is no limit. */
  readonly left: number | undefined;
}

interface ActiveFault extends DueFault {
  readonly id: number;
  readonly where: RequestFilter | undefined;
  readonly times: number;
  hits: number;
}

/** The faults that are switched on. A request gets the fault that was switched on first, of those that apply to it. */
export class FaultSwitches {
  readonly #active = new Set<ActiveFault>();
  #lastId = 0;

  /**
   * Switches a fault on.
   * @throws {TypeError} for an unknown kind, and for a status that is not an integer from 200 to 999.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for an unknown field, and for a scope that no request is in.
   */
  add(fault: Fault, scope: FaultScope = {}): FaultSwitch {
    // The checks are made here, because an error while answering could not be caught by the caller.
    checkFault(fault);
    checkScope(scope);
    const { times = Number.POSITIVE_INFINITY, where, delayMs = 0 } = scope;
    this.#lastId += 1;
    const active: ActiveFault = { id: this.#lastId, fault, delayMs, where, times, hits: 0 };
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

  /** The faults that are switched on and not used up. */
  get list(): ListedFault[] {
    return [...this.#active]
      .filter(({ hits, times }) => hits < times)
      .map((active) => {
        const { id, fault, hits, times } = active;
        const left = times === Number.POSITIVE_INFINITY ? undefined : times - hits;
        return { id, fault, hits, left, clear: () => void this.#active.delete(active) };
      });
  }

  /** Switches all faults off. */
  clear(): void {
    this.#active.clear();
  }

  /** Returns the fault that applies to a request, and counts the request for it. */
  faultFor(request: ReceivedRequest): DueFault | undefined {
    for (const active of this.#active) {
      if (active.hits >= active.times) {
        this.#active.delete(active);
      } else if (isMeant(request, active.where)) {
        active.hits += 1;
        return active;
      }
    }
    return undefined;
  }
}

function checkFault(fault: Fault): void {
  const fields = FAULT_FIELDS.get(fault?.kind);
  if (!fields) {
    throw new TypeError(`fault: kind must be one of ${[...FAULT_FIELDS.keys()].join(', ')}`);
  }
  refuseUnknown(fault, fields, 'fault');
  if (
    fault.kind === 'status' &&
    !(Number.isInteger(fault.status) && fault.status >= 200 && fault.status <= 999)
  ) {
    throw new TypeError('fault: status must be an integer from 200 to 999');
  }
}

function checkScope(scope: FaultScope): void {
  refuseUnknown(scope, ['times', 'where', 'delayMs'], 'fault');
  const { where } = scope;
  if (where !== undefined) {
    checkFilter('where', where);
  }
}
