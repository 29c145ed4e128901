import { processSignals, releaseChannel, unref } from '#platform';
import { quietly } from './call-safely.js';
import type { TargetClient } from './client.js';
import { describe, invalidOption, TargetError, toError } from './errors.js';
import { withinMs } from './http/deadline.js';
import { isObject, withoutInherited } from './json.js';
import { timeout as timeoutCheck } from './option-checks.js';
import type { CloseResult } from './stats.js';

/** Every signal that {@link closeOnSignal} takes. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'] as const;

/** A signal that asks a process to end. */
export type EndSignal = (typeof SIGNALS)[number];

/** The part of an `http.Server` that is used. */
export interface ClosableServer {
  /** Takes no more connections, and calls back when those that there are have ended. */
  close(callback: (error?: Error) => void): unknown;
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
}

/** Options of {@link closeOnSignal}. */
export interface ShutdownOptions {
  /** @default ['SIGTERM', 'SIGINT'] */
  readonly signals?: readonly EndSignal[] | undefined;
  /** Closed first: its requests under way still make decisions. Connections that outlast their time are cut. */
  readonly server?: ClosableServer | undefined;
  /** Whatever else has to end before the clients are closed, such as a consumer of a queue. */
  readonly before?: (() => unknown) | undefined;
  /**
   * Of everything together, in ms, above 0 and below 2^31. Server and `before` get three quarters of it at most, the
   * clients what is left then. @default 8000, for containers are killed after 10 or 30 seconds
   */
  readonly timeout?: number | undefined;
}

/** What came of the notifications of all clients together. */
export interface ShutdownResult extends CloseResult {
  /** What began it. */
  readonly signal: EndSignal;
  /** What closing the server or `before` failed of; the clients were closed all the same. */
  readonly error?: Error;
}

/** What {@link closeOnSignal} has begun to wait for. */
export interface Shutdown {
  /** Resolves when a signal has come and the clients are closed. Never rejects. */
  readonly closed: Promise<ShutdownResult>;
  /** Does not wait for a signal any more. Nothing when one has come. */
  stop(): void;
}

const DEFAULT_TIMEOUT_MS = 8000;
const SHARE_OF_SERVER = 0.75;
/** A terminal and npm each pass an interrupt on, and the second is not a wish of its own. */
const REPEATED_WITHIN_MS = 1000;
const SWEEP_MS = 100;

/**
 * On a signal, closes the server and then the clients, which send the notifications that are queued, within one
 * `timeout`; and lets the process end, by itself, when nothing else keeps it. Signals that follow within a second are
 * the same one; a later one does what it does without this, and so ends the process at once.
 *
 * The channel to a parent process, which workers of `node:cluster` and children of `fork` have, keeps the process no
 * longer then; it stays open.
 *
 * Clients are looked at when the signal comes: a list or set may grow until then. Throws `ERR_TARGET_INVALID_CONFIG`.
 */
export function closeOnSignal(
  clients: Closable | Iterable<Closable>,
  options: ShutdownOptions = {},
): Shutdown {
  const {
    signals = ['SIGTERM', 'SIGINT'],
    timeout = DEFAULT_TIMEOUT_MS,
    server,
    before,
  } = readOptions(options);
  if (!timeoutCheck.accepts(timeout)) throw invalidOption('timeout', timeoutCheck.wanted, timeout, describe);
  if (!isObject(clients)) throw invalidOption('clients', 'a client or a list', clients, describe);
  if (!Array.isArray(signals)) throw invalidOption('signals', 'a list of signals', signals, describe);
  const wrong = signals.find((signal) => !SIGNALS.includes(signal));
  if (wrong !== undefined) throw invalidOption('signals', `among ${SIGNALS.join(', ')}`, wrong, describe);
  const sender = processSignals;
  if (!sender) throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'this platform has no signals to close on');
  let hasBegun = false;
  let resolveClosed: (result: ShutdownResult) => void;
  const closed = new Promise<ShutdownResult>((resolve) => {
    resolveClosed = resolve;
  });
  const forget = () => {
    for (const signal of signals) sender.off(signal, begin);
  };
  const begin = (signal: string) => {
    if (hasBegun) return;
    hasBegun = true;
    unref(setTimeout(forget, REPEATED_WITHIN_MS));
    void shutDown(clients, { server, before }, timeout).then((result) => {
      releaseChannel();
      resolveClosed({ signal: signal as EndSignal, ...result });
    });
  };
  for (const signal of signals) sender.on(signal, begin);
  return { closed, stop: () => (hasBegun ? undefined : forget()) };
}

function readOptions(options: ShutdownOptions | undefined): ShutdownOptions {
  try {
    return { ...withoutInherited(options ?? {}) };
  } catch (cause) {
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'the options could not be read', { cause });
  }
}

type Closable = Pick<TargetClient, 'close'>;

async function shutDown(
  clients: Closable | Iterable<Closable>,
  { server, before }: ShutdownOptions,
  timeoutMs: number,
): Promise<Omit<ShutdownResult, 'signal'>> {
  const deadline = performance.now() + timeoutMs;
  const errors: Error[] = [];
  const keep = (thrown: unknown) => void errors.push(toError(thrown));
  await Promise.all([
    server && closeServer(server, timeoutMs * SHARE_OF_SERVER).catch(keep),
    before && withinMs(timeoutMs * SHARE_OF_SERVER, async () => before()).catch(keep),
  ]);
  const timeout = Math.max(1, deadline - performance.now());
  const total = { delivered: 0, failed: 0, dropped: 0 };
  const close = async (client: Closable) => {
    const { delivered, failed, dropped } = await client.close({ timeout });
    total.delivered += delivered;
    total.failed += failed;
    total.dropped += dropped;
  };
  await Promise.all(listOf(clients, keep).map((client) => close(client).catch(keep)));
  const [error] = errors;
  return error ? { ...total, error } : total;
}

function listOf(clients: Closable | Iterable<Closable>, keep: (thrown: unknown) => void): Closable[] {
  try {
    return Symbol.iterator in clients ? [...clients] : [clients];
  } catch (thrown) {
    keep(thrown);
    return [];
  }
}

async function closeServer(server: ClosableServer, limitMs: number): Promise<void> {
  // A connection that is kept alive would bring one request after the other.
  const sweep = setInterval(() => quietly(() => server.closeIdleConnections?.()), SWEEP_MS);
  const close = () =>
    new Promise<void>((resolve, reject) => {
      server.close((error) => (error && !isClosed(error) ? reject(error) : resolve()));
    });
  try {
    await withinMs(limitMs, close);
  } finally {
    clearInterval(sweep);
    server.closeAllConnections?.();
  }
}

function isClosed({ code }: Error & { readonly code?: unknown }): boolean {
  return code === 'ERR_SERVER_NOT_RUNNING';
}
