import { type TargetError, toTargetError } from '../errors.js';
import type { ReadyStatus, TargetClient, TargetEvents } from '../index.js';
import { isRecord } from '../json.js';
import {
  ErrorCode,
  type OpenFeatureEventEmitter,
  ProviderEvents,
  ProviderFatalError,
  ProviderNotReadyError,
} from './openfeature-sdk.js';

/** The time in ms for the first rules, when the client has no limit of its own. */
const READY_MS = 10_000;

type NewArtifact = TargetEvents['artifactDownloadSucceeded'];

/** Tells OpenFeature of the states of a client, and of new rules. */
export class ProviderStates {
  readonly #client: TargetClient;
  readonly #events: OpenFeatureEventEmitter;
  #status: ReadyStatus | undefined;
  #announced: ReadyStatus | undefined;
  /** True when OpenFeature has set the state that the start of the provider ends with. */
  #isSettled = false;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** The event of the artifact in use. Its rules are parsed only when there are newer ones. */
  #artifact: NewArtifact | undefined;
  /** True when the client had rules before the first event of an artifact. */
  #hadRules = false;
  /** The rules of each mbox before the first event of an artifact, if they are known. */
  #first: RulesByMbox | undefined;
  /** True when OpenFeature knows that the client is closed. */
  #isClosedKnown = false;

  constructor(client: TargetClient, events: OpenFeatureEventEmitter) {
    this.#client = client;
    this.#events = events;
  }

  /** Resolves when decisions can be made. Rejects with an error of OpenFeature. */
  async start(): Promise<void> {
    const { maximumWaitReadyMs } = this.#client.forVisits;
    this.#noteRules(this.#client.stats().artifact !== undefined);
    this.#client.on('statusChanged', this.#onStatus).on('artifactDownloadSucceeded', this.#onArtifact);
    try {
      const { status } = await this.#client.ready(
        maximumWaitReadyMs === undefined ? { timeout: READY_MS } : {},
      );
      this.#status = status;
      this.#noteRules(status === 'cached');
      this.#announced = 'live';
    } catch (thrown) {
      throw toStartError(toTargetError(thrown));
    } finally {
      // OpenFeature sets the state behind this promise, and would overwrite an earlier event.
      this.#settling = setTimeout(() => {
        this.#isSettled = true;
        this.#announce();
      }, 0);
    }
  }

  /** Ends the events. They can be started again. */
  stop(): void {
    this.#client.off('statusChanged', this.#onStatus).off('artifactDownloadSucceeded', this.#onArtifact);
    clearTimeout(this.#settling);
    this.#status = undefined;
    this.#announced = undefined;
    this.#isSettled = false;
    this.#artifact = undefined;
    this.#hadRules = false;
    this.#first = undefined;
    this.#isClosedKnown = false;
  }

  /**
   * Tells OpenFeature, once, that the client is closed, when a read has failed for that. A program that closes the client
   * itself would otherwise see a ready provider, whose every read fails.
   */
  noteFailedRead(): void {
    if (!this.#isSettled || this.#isClosedKnown) {
      return;
    }
    try {
      this.#client.forVisits.refuseWhenClosed();
    } catch (thrown) {
      this.#isClosedKnown = true;
      const { message } = toTargetError(thrown);
      this.#events.emit(ProviderEvents.Error, { message, errorCode: ErrorCode.PROVIDER_NOT_READY });
    }
  }

  readonly #onStatus = ({ status }: TargetEvents['statusChanged']): void => {
    this.#status = status;
    this.#noteRules(status === 'cached');
    this.#announce();
  };

  /** Keeps the rules that the client has before the first event of an artifact. */
  #noteRules(areThere: boolean): void {
    if (areThere && !this.#artifact) {
      this.#hadRules = true;
      this.#first ??= this.#client.forVisits.writtenMboxes();
    }
  }

  readonly #onArtifact = (artifact: NewArtifact): void => {
    const before = this.#artifact;
    this.#artifact = artifact;
    const olds = before ? rulesOf(before) : this.#first;
    this.#first = undefined;
    if (olds) {
      const flagsChanged = changedMboxes(olds, rulesOf(artifact));
      if (before || flagsChanged.length > 0) {
        this.#events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
      }
    } else if (this.#hadRules) {
      // Nobody has kept the rules before these.
      this.#events.emit(ProviderEvents.ConfigurationChanged);
    }
  };

  #announce(): void {
    const status = this.#status;
    if (!this.#isSettled || status === undefined) {
      return;
    }
    const wasLive = this.#announced === 'live';
    const isLive = status === 'live';
    const isFirst = this.#announced === undefined;
    this.#announced = status;
    if (isFirst || wasLive !== isLive) {
      this.#events.emit(isLive ? ProviderEvents.Ready : ProviderEvents.Stale, {
        message: `decisions are ${status}`,
      });
    }
  }
}

/** The providers of each client that are in use. OpenFeature starts a new provider before it closes the one before. */
const openProviders = new WeakMap<TargetClient, Set<object>>();

/** Returns the providers of a client that are in use. Each provider adds and deletes itself. */
export function openProvidersOf(client: TargetClient): Set<object> {
  const known = openProviders.get(client);
  if (known) {
    return known;
  }
  const providers = new Set<object>();
  openProviders.set(client, providers);
  return providers;
}

/** Makes the error with which the start of a provider fails. A wrong option of the client can never be cured. */
function toStartError(error: TargetError): Error {
  const cause = error.cause === undefined ? error : toTargetError(error.cause);
  return [error, cause].some(({ code }) => code === 'ERR_TARGET_INVALID_CONFIG')
    ? new ProviderFatalError(cause.message, { cause: error })
    : new ProviderNotReadyError(error.message, { cause: error });
}

type RulesByMbox = ReadonlyMap<string, unknown>;

/** Names the mboxes whose rules differ. */
function changedMboxes(olds: RulesByMbox, news: RulesByMbox): string[] {
  const names = new Set([...olds.keys(), ...news.keys()]);
  return [...names].filter((name) => JSON.stringify(olds.get(name)) !== JSON.stringify(news.get(name)));
}

/** Returns the rules of each mbox. */
function rulesOf({ artifactPayload }: NewArtifact): RulesByMbox {
  const rules = isRecord(artifactPayload) && isRecord(artifactPayload.rules) ? artifactPayload.rules : {};
  return new Map(Object.entries(isRecord(rules.mboxes) ? rules.mboxes : {}));
}
