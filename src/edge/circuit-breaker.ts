import type { CircuitBreakerPolicy } from '../config-policies.js';
import { TargetError, withoutVisitor } from '../errors.js';
import type { Events } from '../events.js';
import { grown, obeyedMs, spread, verdictOn } from '../http/retry.js';
import type { Logger } from '../logger.js';
import type { CircuitState, CircuitStats } from '../stats.js';

/** What a breaker needs. */
export interface CircuitBreakerOptions {
  readonly policy: CircuitBreakerPolicy;
  readonly events: Events;
  readonly logger: Logger;
}

/** One host, from its first failure to its next answer. All times are on the clock of `performance.now()`. */
interface Circuit {
  readonly host: string;
  state: CircuitState;
  failures: number;
  openings: number;
  /** The present wait. */
  waitMs: number;
  /** Until when nothing is let through. */
  untilMs: number;
  /** Without what it may hold of the visitor whose call it was. */
  lastFailure: TargetError;
}

/** Hosts may be named by cookies, and each that is made up fails. Those that are asked all the time stay. */
const MAX_HOSTS = 100;
const GROWTH = 2;
/** The longest `Retry-After` that is obeyed. */
const MAX_ASKED_MS = 60_000;

/**
 * Keeps delivery calls from waiting for a host that has stopped answering: after so many failures in a row it is
 * left alone for a while, then one call tries, and so on, with growing waits, until there is an answer. Each host by
 * itself: a visitor's cookie names the cluster, and one that is down, or made up, must not shut out the others.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  /** Only hosts that failed since they last answered; in good order it is empty, and nothing costs anything. */
  readonly #circuits = new Map<string, Circuit>();
  #refused = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** How many calls were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether the next call to a host would be refused. */
  isRefusing(host: string): boolean {
    const circuit = this.#circuits.get(host);
    return circuit !== undefined && circuit.state !== 'closed' && performance.now() < circuit.untilMs;
  }

  /**
   * Lets a call through, and tells whether it is the one that tries.
   * @throws TargetError `ERR_TARGET_CIRCUIT_OPEN`
   */
  enter(host: string): boolean {
    if (this.#circuits.size === 0) return false;
    const circuit = this.#circuits.get(host);
    if (!circuit || circuit.state === 'closed') return false;
    this.#keep(circuit);
    const now = performance.now();
    if (now < circuit.untilMs) {
      this.#refused += 1;
      throw toOpenError(circuit);
    }
    // A try that never ends must not be the last one.
    circuit.untilMs = now + circuit.waitMs;
    this.#change(circuit, 'half-open');
    return true;
  }

  /** Notes that a host has answered. */
  answered(host: string): void {
    if (this.#circuits.size === 0) return;
    const circuit = this.#circuits.get(host);
    if (!circuit) return;
    this.#circuits.delete(host);
    this.#change(circuit, 'closed');
  }

  /** Notes that a call ended with an error, which may be nobody's fault or the caller's own. */
  failed(host: string, error: unknown, isTry: boolean): void {
    if (!(error instanceof TargetError)) return;
    const { saysOfHost } = verdictOn(error);
    if (saysOfHost === 'answered') this.answered(host);
    else if (saysOfHost === 'nothing') this.leftOff(host, isTry);
    else this.#fail(host, error, isTry);
  }

  /** Notes that a call ended without telling anything about the host: the next call may try in the place of one that tried. */
  leftOff(host: string, isTry: boolean): void {
    const circuit = isTry ? this.#circuits.get(host) : undefined;
    if (circuit) circuit.untilMs = 0;
  }

  /** The state for calls to a host. */
  stateOf(host: string): CircuitState {
    return this.#circuits.get(host)?.state ?? 'closed';
  }

  /** The hosts that are in trouble. */
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
    // Calls that were under way when it opened say nothing new.
    if (circuit.state !== 'closed' && !isTry) return;
    circuit.failures += 1;
    circuit.lastFailure = withoutVisitor(error);
    if (isTry || circuit.failures >= this.#options.policy.failures) this.#open(circuit, error);
  }

  #open(circuit: Circuit, error: TargetError): void {
    const { minTimeoutMs, maxTimeoutMs } = this.#options.policy;
    circuit.openings += 1;
    const longestMs = grown({ minTimeoutMs, maxTimeoutMs, factor: GROWTH }, circuit.openings);
    const askedMs = obeyedMs(error.retryAfterMs, MAX_ASKED_MS) ?? 0;
    circuit.waitMs = Math.max(spread(longestMs, 0.75, 1), askedMs);
    circuit.untilMs = performance.now() + circuit.waitMs;
    this.#change(circuit, 'open');
  }

  /** As the last one to be forgotten. */
  #keep(circuit: Circuit): void {
    this.#circuits.delete(circuit.host);
    this.#circuits.set(circuit.host, circuit);
    if (this.#circuits.size <= MAX_HOSTS) return;
    for (const oldest of this.#circuits.keys()) {
      this.#circuits.delete(oldest);
      return;
    }
  }

  #change(circuit: Circuit, state: CircuitState): void {
    const before = circuit.state;
    if (before === state) return;
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
  if (state === 'closed') return `${what} again`;
  const next = state === 'open' ? `; the next call goes out in ${Math.ceil(waitMs)} ms` : '';
  return `${what} after ${failures} failures, the last: ${lastFailure.message}${next}`;
}
