import { AsyncLocalStorage } from 'node:async_hooks';
import { notReadyError } from '../decide.js';
import { closedError, ERROR_CODES, TargetError, type TargetErrorCode, toTargetError } from '../errors.js';
import type { Limit } from '../http/deadline.js';
import type { CallWatch, ObservedCall } from '../observer.js';
import type { Fault } from './faults.js';
import { refuseUnknown, wrongOption } from './known-options.js';

/** Options of {@link TestClient.fail}. */
export interface FailOptions {
  /** The number of calls that fail: an integer of at least 1. @default every call, until `clear` or another `fail` */
  readonly times?: number;
}

/** A trouble of one call on its way to the edge. */
export interface Trouble {
  /** The fault of a server that has the same effect. The log names it. */
  readonly fault: Fault;
  /** The limit of the call that ends it. */
  readonly limit?: Limit;
}

/** The troubles of calls that are sent. The client makes the errors of them, as in production. */
const TROUBLES: ReadonlyMap<TargetErrorCode, Trouble> = new Map<TargetErrorCode, Trouble>([
  ['ERR_TARGET_TIMEOUT', { fault: { kind: 'hang' }, limit: 'deadline' }],
  ['ERR_TARGET_ABORTED', { fault: { kind: 'hang' }, limit: 'signal' }],
  ['ERR_TARGET_NETWORK', { fault: { kind: 'reset' } }],
  ['ERR_TARGET_RESPONSE', { fault: { kind: 'status', status: 500 } }],
  [
    'ERR_TARGET_INVALID_RESPONSE',
    { fault: { kind: 'body', body: '<h1>Sign in</h1>', contentType: 'text/html' } },
  ],
]);

/** The one code that no call rejects with: `getValue` of attributes throws it. */
const OF_ATTRIBUTES = 'ERR_TARGET_ATTRIBUTE_NOT_FOUND';
const CALL_CODES = ERROR_CODES.filter((code) => code !== OF_ATTRIBUTES);

interface DueFailure {
  readonly code: TargetErrorCode;
  left: number;
}

/** Lets the calls of a client fail. */
export class CallFaults {
  readonly #troubles = new AsyncLocalStorage<{ trouble: Trouble | undefined }>();
  #due: DueFailure[] = [];

  /**
   * Lets the next calls fail. Calls that an earlier `fail` has counted out come first.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a code that no call has, or a wrong number.
   */
  add(code: TargetErrorCode, options: FailOptions = {}): void {
    refuseUnknown(options, ['times'], 'fail');
    const { times = Number.POSITIVE_INFINITY } = options;
    if (code === OF_ATTRIBUTES) {
      throw wrongOption('code', 'the code of a call (getValue of attributes throws this one)', code);
    }
    if (!CALL_CODES.includes(code)) {
      throw wrongOption('code', `one of ${CALL_CODES.join(', ')}`, code);
    }
    if (times !== Number.POSITIVE_INFINITY && !(Number.isInteger(times) && times >= 1)) {
      throw wrongOption('times', 'an integer of at least 1', times);
    }
    this.#due = this.#due.filter(({ left }) => left < Number.POSITIVE_INFINITY);
    this.#due.push({ code, left: times });
  }

  /** Lets no more calls fail. */
  clear(): void {
    this.#due = [];
  }

  /** The trouble of the call that the present work belongs to. */
  get present(): Trouble | undefined {
    return this.#troubles.getStore()?.trouble;
  }

  /** Puts the faults between the observers of a client and its calls. */
  within(observers: CallWatch): CallWatch {
    const due = () => this.#due.length > 0;
    return {
      get areWatching() {
        return due() || observers.areWatching;
      },
      noteRefused: (error, toCall) => observers.noteRefused(error, toCall),
      watch: (call, work) => {
        const code = this.#next();
        return observers.watch(call, code === undefined ? work : () => this.#fail(code, call, work));
      },
    };
  }

  #next(): TargetErrorCode | undefined {
    const [first] = this.#due;
    if (!first) {
      return undefined;
    }
    first.left -= 1;
    if (first.left < 1) {
      this.#due.shift();
    }
    return first.code;
  }

  async #fail(code: TargetErrorCode, call: ObservedCall, work: () => Promise<unknown>): Promise<never> {
    const trouble = TROUBLES.get(code);
    if (trouble && call.decisioningMethod !== 'on-device') {
      const store: { trouble: Trouble | undefined } = { trouble };
      try {
        await this.#troubles.run(store, work);
      } finally {
        // Work that the call has left to the background is sent as usual.
        store.trouble = undefined;
      }
    }
    throw toCallFailure(code);
  }
}

/** Makes the error of a call that sends nothing. */
function toCallFailure(code: TargetErrorCode): TargetError {
  switch (code) {
    case 'ERR_TARGET_CLOSED':
      return closedError();
    case 'ERR_TARGET_NOT_READY':
      return notReadyError();
    case 'ERR_TARGET_INTERNAL':
      return toTargetError(new Error('a fault that the test has switched on'));
    case 'ERR_TARGET_INVALID_REQUEST':
      return new TargetError(code, 'request is refused by the test', { path: 'request' });
    case 'ERR_TARGET_INVALID_CONFIG':
      return new TargetError(code, 'agent must return an agent, not a promise of one', { path: 'agent' });
    case 'ERR_TARGET_CIRCUIT_OPEN':
      return new TargetError(code, 'the delivery call was not sent: the circuit breaker is open', {
        cause: new TargetError('ERR_TARGET_TIMEOUT', 'the delivery call did not end in time'),
        attempts: 0,
      });
    case 'ERR_TARGET_ARTIFACT':
      return new TargetError(code, 'the artifact could not be evaluated');
    default:
      return new TargetError(code, 'the call failed, as the test wants');
  }
}
