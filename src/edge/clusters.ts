import { unref } from '#platform';
import { TargetError, type TargetErrorCode } from '../errors.js';
import { type Limits, within } from '../http/deadline.js';
import { proxyTroubleOf } from '../http/error-causes.js';
import { deliveryHost } from '../identity/location-hint.js';
import { ownOf } from '../inherited-names.js';
import { isObject } from '../json.js';

/** Looks up the address of a host's name. Rejects when the name has none. */
export type LookUp = (hostname: string) => Promise<unknown>;

/** The one cluster that is being tried, and the promise of the result. */
interface Trial {
  readonly hint: string;
  readonly verdict: Promise<boolean>;
  readonly settle: (isThere: boolean) => void;
}

const MAX_KNOWN = 1000;
const LOST_MS = 5 * 60 * 1000;
/** Longest look-up in ms. One that takes longer counts as failed. */
const MAX_LOOK_UP_MS = 1000;
/** Share of a call's time that it may wait for a look-up. The rest of the time is for the call itself. */
const WAIT_SHARE = 1 / 4;
/** Codes of errors which mean that a name does not exist. */
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);
/** Codes of errors that leave open whether a name exists. */
const NO_RESOLVER = new Set(['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ETIMEOUT']);
/** A proxy that wants other credentials was not asked for any host yet. */
const PROXY_AUTHENTICATION_REQUIRED = 407;
const MAX_CAUSES = 5;
/** Errors of calls that have found their host, unless the cause is that its name has no address. */
const FOUND = new Set<TargetErrorCode>([
  'ERR_TARGET_NETWORK',
  'ERR_TARGET_RESPONSE',
  'ERR_TARGET_INVALID_RESPONSE',
]);

/**
 * Knows which of the clusters in visitors' cookies exist. Clusters that are gone stay in cookies for years, and anybody
 * can make one up. Look-ups that fail or hang block all others of the process, because Node runs only a few at a time.
 * So one cluster is tried at a time, and calls to other unknown clusters do not wait for it.
 *
 * @see https://nodejs.org/docs/latest-v20.x/api/dns.html#implementation-considerations
 */
export class Clusters {
  readonly #lookUp: LookUp | undefined;
  readonly #reached = new Map<string, true>();
  readonly #lostUntilMs = new Map<string, number>();
  #trial: Trial | undefined;

  /**
   * Takes the function that looks a name up. It is undefined behind a proxy. The first call to a cluster is then its
   * trial.
   */
  constructor(lookUp: LookUp | undefined) {
    this.#lookUp = lookUp;
  }

  /** Tells whether a host has answered under the name of a cluster. */
  isKnown(hint: string): boolean {
    return this.#reached.has(hint);
  }

  /** Tells whether the next call that names a cluster would go there, or would wait for the look-up. */
  mayBeTried(hint: string): boolean {
    return this.isKnown(hint) || !(this.#trial || this.#isLost(hint));
  }

  /** Tells whether a call may go to a cluster. */
  admits(hint: string, limits: Limits): boolean | Promise<boolean> {
    if (this.isKnown(hint)) {
      return true;
    }
    if (this.#isLost(hint)) {
      return false;
    }
    if (this.#trial) {
      return this.#trial.hint === hint && verdictOf(this.#trial, limits);
    }
    const trial = newTrial(hint);
    this.#trial = trial;
    if (!this.#lookUp) {
      return true;
    }
    void this.#find(trial, this.#lookUp);
    return verdictOf(trial, limits);
  }

  /** Notes that a host answered under the name of a cluster. */
  reached(hint: string): void {
    if (!this.isKnown(hint)) {
      this.#learn(hint, true);
    }
    this.#endCallOf(hint);
  }

  /**
   * Notes that a call to a cluster failed, and tells whether it failed because the name of the cluster has no address.
   */
  failed(hint: string, error: Error): boolean {
    const code = unresolvedCodeOf(error);
    // A resolver in trouble says nothing against a cluster that has answered before.
    if (code !== undefined && (NO_SUCH_NAME.has(code) || !this.isKnown(hint))) {
      this.#learn(hint, false);
    } else if (code === undefined && hasFoundHost(error)) {
      this.reached(hint);
    }
    this.#endCallOf(hint);
    return code !== undefined;
  }

  /** Looks a cluster up. The next trial begins when this look-up has ended, however long that takes. */
  async #find(trial: Trial, lookUp: LookUp): Promise<void> {
    const { hint } = trial;
    const timer = setTimeout(() => this.#learn(hint, false), MAX_LOOK_UP_MS);
    unref(timer);
    const isThere = await lookUp(deliveryHost('', hint)).then(
      () => true,
      () => false,
    );
    clearTimeout(timer);
    this.#learn(hint, isThere);
    this.#trial = undefined;
  }

  #learn(hint: string, isThere: boolean): void {
    if (isThere) {
      keep(this.#reached, hint, true);
    } else {
      keep(this.#lostUntilMs, hint, performance.now() + LOST_MS);
    }
    (isThere ? this.#lostUntilMs : this.#reached).delete(hint);
    if (this.#trial?.hint === hint) {
      this.#trial.settle(isThere);
    }
  }

  /** Ends a trial that was a call itself. */
  #endCallOf(hint: string): void {
    if (this.#lookUp || this.#trial?.hint !== hint) {
      return;
    }
    this.#trial.settle(false);
    this.#trial = undefined;
  }

  #isLost(hint: string): boolean {
    const untilMs = this.#lostUntilMs.get(hint);
    return untilMs !== undefined && performance.now() < untilMs;
  }
}

function newTrial(hint: string): Trial {
  let settle: Trial['settle'] = () => undefined;
  const verdict = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { hint, verdict, settle };
}

/** Resolves with the result of a trial, or with false when the call cannot wait any longer. */
function verdictOf({ verdict }: Trial, { timeoutMs, signal }: Limits): Promise<boolean> {
  const limits = { timeoutMs: Math.min(timeoutMs * WAIT_SHARE, MAX_LOOK_UP_MS), signal };
  const tooLate = () => new Error('the look-up takes too long');
  return within(limits, () => verdict, tooLate).catch(() => false);
}

/** Keeps an entry as the newest, and forgets the oldest when there are too many. */
function keep<Value>(entries: Map<string, Value>, key: string, value: Value): void {
  entries.delete(key);
  entries.set(key, value);
  const [oldest] = entries.keys();
  if (entries.size > MAX_KNOWN && oldest !== undefined) {
    entries.delete(oldest);
  }
}

/** Tells whether a call failed because the name of its host has no address. */
export function isUnresolved(error: Error): boolean {
  return unresolvedCodeOf(error) !== undefined;
}

function hasFoundHost(error: Error): boolean {
  const code = codeOf(error);
  return code !== undefined && FOUND.has(code) && !isOfProxy(error);
}

/** Tells whether a call failed at a proxy, before it reached its host. */
function isOfProxy(error: Error): boolean {
  const { status } = ownOf(error as { readonly status?: unknown });
  return status === PROXY_AUTHENTICATION_REQUIRED || proxyTroubleOf(error) !== undefined;
}

function codeOf(error: Error): TargetErrorCode | undefined {
  return error instanceof TargetError ? error.code : undefined;
}

/** Finds the code of the look-up's own error among the causes of a call's error. */
function unresolvedCodeOf(error: Error): string | undefined {
  if (codeOf(error) !== 'ERR_TARGET_NETWORK') {
    return undefined;
  }
  const trouble = proxyTroubleOf(error);
  // A proxy that finds no address answers with one of several statuses, and each of them may have another reason too.
  if (trouble) {
    const isOfHost = trouble.status !== undefined && trouble.status !== PROXY_AUTHENTICATION_REQUIRED;
    return isOfHost ? trouble.code : undefined;
  }
  let { cause } = error;
  for (let depth = 0; depth < MAX_CAUSES && isObject(cause); depth += 1) {
    const { code, cause: next } = cause as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === 'string' && (NO_SUCH_NAME.has(code) || NO_RESOLVER.has(code))) {
      return code;
    }
    cause = next;
  }
  return undefined;
}
