import type { CircuitBreakerPolicy } from '../config/config-policies.js';
import { TargetError, withoutVisitor } from '../errors.js';
import type { Events } from '../events.js';
import { grown, obeyedMs, spread, verdictOn } from '../http/retry.js';
import { ownOf } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import type { CircuitState, CircuitStats } from '../stats.js';

/** The parts that a circuit breaker is made of. */
export interface CircuitBreakerOptions {
  readonly policy: CircuitBreakerPolicy;
  readonly events: Events;
  readonly logger: Logger;
}

/**
 * The state of one host from its first failure to its next answer. All times are on the clock of `performance.now()`.
 */
interface Circuit {
  readonly host: string;
  state: CircuitState;
  failures: number;
  openings: number;
  /** Length of the current pause in ms. */
  waitMs: number;
  /** The end of the pause. Calls before it are refused. */
  untilMs: number;
  /** The last failure, without the data of the visitor whose call it was. */
  lastFailure: TargetError;
}

/**
 * The maximum number of hosts that are remembered. Cookies can invent any number of hosts, and each of them fails. The
 * hosts that were called last are kept.
 */
const MAX_HOSTS = 100;
const GROWTH = 2;
/** Longest `Retry-After` in ms that is obeyed. */
const MAX_ASKED_MS = 60_000;

/**
 * Keeps delivery calls from waiting for a host that has stopped answering. After several failures in a row the host
 * gets a pause, in which calls are refused at once. Then one call is let through as a try. Each failed try makes the
 * pause longer, and an answer ends it. Every host has a circuit of its own, because visitors' cookies name clusters. A
 * cluster that is down or invented must not stop the calls to other clusters.
 *
 * @see https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  /**
   * Holds the hosts that have failed since their last answer. It is empty in good times, and calls then cost nothing.
   */
  readonly #circuits = new Map<string, Circuit>();
  #refused = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** The number of calls that were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** Tells whether the next call to a host would be refused. */
  isRefusing(host: string): boolean {
    const circuit = this.#circuits.get(host);
    return circuit !== undefined && circuit.state !== 'closed' && performance.now() < circuit.untilMs;
  }

  /**
   * Lets a call through, and tells whether the call is the try after a pause.
   * @throws TargetError `ERR_TARGET_CIRCUIT_OPEN`
   */
  enter(host: string): boolean {
    if (this.#circuits.size === 0) {
      return false;
    }
    const circuit = this.#circuits.get(host);
    if (!circuit || circuit.state === 'closed') {
      return false;
    }
    this.#keep(circuit);
    const now = performance.now();
    if (now < circuit.untilMs) {
      this.#refused += 1;
      throw toOpenError(circuit);
    }
    // Another call may try after the same pause, because this one may never end.
    circuit.untilMs = now + circuit.waitMs;
    this.#change(circuit, 'half-open');
    return true;
  }

  /** Notes that a host has answered. */
  answered(host: string): void {
    if (this.#circuits.size === 0) {
      return;
    }
    const circuit = this.#circuits.get(host);
    if (!circuit) {
      return;
    }
    this.#circuits.delete(host);
    this.#change(circuit, 'closed');
  }

  /** Notes that a call ended with an error. Some errors say nothing against the host. */
  failed(host: string, error: unknown, isTry: boolean): void {
    if (!(error instanceof TargetError)) {
      return;
    }
    const { saysOfHost } = verdictOn(error);
    if (saysOfHost === 'answered') {
      this.answered(host);
    } else if (saysOfHost === 'nothing') {
      this.leftOff(host, isTry);
    } else {
      this.#fail(host, error, isTry);
    }
  }

  /** Notes that a call ended without saying anything about the host. If it was a try, the next call may try instead. */
  leftOff(host: string, isTry: boolean): void {
    const circuit = isTry ? this.#circuits.get(host) : undefined;
    if (circuit) {
      circuit.untilMs = 0;
    }
  }

  /** Returns the state of a host's circuit. */
  stateOf(host: string): CircuitState {
    return this.#circuits.get(host)?.state ?? 'closed';
  }

  /** The hosts that have failed since their last answer. */
  get hosts(): CircuitStats[] {
    const now = performance.now();
    return [...this.#circuits.values()].map(({ host, state, failures, untilMs }) => ({
      host,
      state,
      failures,
      retryInMs: state === 'closed' ? 0 : Math.max(0, Math.ceil(untilMs - now)),
    }));
  }

  #fail(host: string, error: TargetError, isTry: boolean): void {
    const circuit = this.#circuits.get(host) ?? newCircuit(host, error);
    this.#keep(circuit);
    // The failures of calls that were under way when the circuit opened say nothing new.
    if (circuit.state !== 'closed' && !isTry) {
      return;
    }
    circuit.failures += 1;
    circuit.lastFailure = withoutVisitor(error);
    if (isTry || circuit.failures >= this.#options.policy.failures) {
      this.#open(circuit, error);
    }
  }

  #open(circuit: Circuit, error: TargetError): void {
    const { minTimeoutMs, maxTimeoutMs } = this.#options.policy;
    circuit.openings += 1;
    const longestMs = grown({ minTimeoutMs, maxTimeoutMs, factor: GROWTH }, circuit.openings);
    const askedMs = obeyedMs(ownOf(error).retryAfterMs, MAX_ASKED_MS) ?? 0;
    circuit.waitMs = Math.max(spread(longestMs, 0.75, 1), askedMs);
    circuit.untilMs = performance.now() + circuit.waitMs;
    this.#change(circuit, 'open');
  }

  /** Moves a circuit to the end of the map. The first circuit of the map is forgotten first. */
  #keep(circuit: Circuit): void {
    this.#circuits.delete(circuit.host);
    this.#circuits.set(circuit.host, circuit);
    if (this.#circuits.size <= MAX_HOSTS) {
      return;
    }
    for (const oldest of this.#circuits.keys()) {
      this.#circuits.delete(oldest);
      return;
    }
  }

  #change(circuit: Circuit, state: CircuitState): void {
    const before = circuit.state;
    if (before === state) {
      return;
    }
    circuit.state = state;
    const { host, lastFailure } = circuit;
    const { events, logger } = this.#options;
    const isNews = before === 'closed' || state === 'closed';
    logger[isNews ? 'warn' : 'debug'](() => toLine(circuit));
    events.emit({
      type: 'circuitBreakerChanged',
      host,
      state,
      ...(state !== 'closed' && { error: lastFailure }),
    });
  }
}

function newCircuit(host: string, error: TargetError): Circuit {
  return { host, state: 'closed', failures: 0, openings: 0, waitMs: 0, untilMs: 0, lastFailure: error };
}

function toOpenError({ host, lastFailure }: Circuit): TargetError {
  const message = `the delivery call was not sent: the circuit breaker of ${host} is open: ${lastFailure.message}`;
  return new TargetError('ERR_TARGET_CIRCUIT_OPEN', message, { cause: lastFailure, attempts: 0 });
}

function toLine({ host, state, failures, waitMs, lastFailure }: Circuit): string {
  const what = `the circuit breaker of ${host} is ${state}`;
  if (state === 'closed') {
    return `${what} again`;
  }
  const next = state === 'open' ? `; the next call goes out in ${Math.ceil(waitMs)} ms` : '';
  return `${what} after ${failures} failures, the last: ${lastFailure.message}${next}`;
}
