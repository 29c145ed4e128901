import { processSignals, releaseChannel, unref } from '#platform';
import { quietly } from './call-safely.js';
import type { TargetClient } from './client.js';
import {
  type Check,
  type Checked,
  check,
  checkAll,
  functionCheck,
  methodsCheck,
  timeout,
} from './config/option-checks.js';
import { describe, invalidOption, TargetError, toError } from './errors.js';
import { withinMs } from './http/deadline.js';
import { isObject } from './json.js';
import type { CloseResult } from './stats.js';

/** A signal that asks a process to end. `SIGBREAK` exists on Windows only. */
export type EndSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT' | 'SIGBREAK' | 'SIGUSR2';

/** Every signal that {@link closeOnSignal} accepts. */
const SIGNALS: readonly EndSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'];

/** A client, as far as {@link closeOnSignal} needs it. */
export type ClosableClient = Pick<TargetClient, 'close'>;

/** The part of Node's `http.Server` that {@link closeOnSignal} uses. */
export interface ClosableServer {
  /** Stops taking new connections. Calls back when all open connections have ended. */
  close(callback: (error?: Error) => void): unknown;
  /** Closes connections without a request. */
  closeIdleConnections?(): void;
  /** Closes every connection, also those with a request. */
  closeAllConnections?(): void;
}

/** Options of {@link closeOnSignal}. */
export interface ShutdownOptions {
  /** The signals to wait for. @default ['SIGTERM', 'SIGINT'] */
  readonly signals?: readonly EndSignal[] | undefined;
  /**
   * The HTTP server. It is closed before the clients, because its running requests still make decisions. When the
   * server's share of the time ends, connections that are still open are cut.
   */
  readonly server?: ClosableServer | undefined;
  /**
   * A function that ends other work, such as a consumer of a queue, before the clients are closed. It runs while the
   * server closes, and its promise is awaited.
   */
  readonly before?: (() => unknown) | undefined;
  /**
   * Budget for the whole shutdown in ms, above 0 and below 2^31. The server and `before` get at most three quarters of
   * it. The clients get the rest. The default is below ten seconds, because containers are often killed after 10 or 30
   * seconds.
   * @default 8000
   */
  readonly timeout?: number | undefined;
}

/** The result of a shutdown: counts of the notifications of all clients together. */
export interface ShutdownResult extends CloseResult {
  /** The signal that started the shutdown. */
  readonly signal: EndSignal;
  /** The first error of closing the server, running `before` or closing a client. The other steps ran nevertheless. */
  readonly error?: Error;
}

/** A shutdown that waits for its signal. */
export interface Shutdown {
  /** Resolves once a signal has come and all clients are closed. It never rejects. */
  readonly closed: Promise<ShutdownResult>;
  /** Stops waiting for a signal. It does nothing once a signal has come. */
  stop(): void;
}

const OPTIONS = {
  signals: check(
    `an array of ${SIGNALS.join(', ')}`,
    (value): value is readonly EndSignal[] =>
      Array.isArray(value) && value.every((signal) => SIGNALS.includes(signal)),
  ),
  server: methodsCheck<ClosableServer>('an HTTP server', 'close'),
  before: functionCheck<() => unknown>('a function'),
  timeout,
} satisfies Record<keyof ShutdownOptions, Check<unknown>>;

const DEFAULT_TIMEOUT_MS = 8000;
/** The server and `before` get this share of the budget; the rest is left for the clients. */
const SHARE_OF_SERVER = 0.75;
/**
 * Signals within this time count as one. Ctrl+C reaches the process twice when npm started it: the terminal sends one
 * signal, and npm passes on another.
 */
const REPEATED_WITHIN_MS = 1000;
/** Idle connections are closed this often while the server closes. */
const SWEEP_MS = 100;

/**
 * Waits for a signal, then closes the server and after it the clients. The clients send their queued notifications
 * first. All of this takes at most `timeout`. The process then ends by itself, unless other work keeps it alive.
 *
 * Workers of `node:cluster` and children of `fork` have a channel to their parent process. After the shutdown it stays
 * open, but no longer keeps the process alive.
 *
 * Signals that follow within a second count as the same signal. A later one has its usual effect, so it ends the
 * process at once.
 *
 * The clients are read when the signal comes, so a list or set of clients can still grow until then.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option, or on a platform without signals.
 *
 * @example
 * ```ts
 * const server = app.listen(3000);
 * const { closed } = closeOnSignal(client, { server });
 * void closed.then(({ signal, delivered, dropped }) => console.log(signal, { delivered, dropped }));
 * ```
 */
export function closeOnSignal(
  clients: ClosableClient | Iterable<ClosableClient>,
  options: ShutdownOptions = {},
): Shutdown {
  const {
    signals = ['SIGTERM', 'SIGINT'],
    timeout = DEFAULT_TIMEOUT_MS,
    server,
    before,
  } = readOptions(options);
  if (!isObject(clients)) {
    throw invalidOption('clients', 'a client or a list', clients, describe);
  }
  const sender = processSignals;
  if (!sender) {
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'this platform has no signals to close on');
  }
  let hasBegun = false;
  let resolveClosed: (result: ShutdownResult) => void;
  const closed = new Promise<ShutdownResult>((resolve) => {
    resolveClosed = resolve;
  });
  const forget = () => {
    for (const signal of signals) {
      sender.off(signal, begin);
    }
  };
  const begin = (signal: string) => {
    if (hasBegun) {
      return;
    }
    hasBegun = true;
    unref(setTimeout(forget, REPEATED_WITHIN_MS));
    void shutDown(clients, { server, before }, timeout).then((result) => {
      releaseChannel();
      resolveClosed({ signal: signal as EndSignal, ...result });
    });
  };
  for (const signal of signals) {
    sender.on(signal, begin);
  }
  return { closed, stop: () => (hasBegun ? undefined : forget()) };
}

function readOptions(options: ShutdownOptions | undefined): Checked<typeof OPTIONS> {
  try {
    return checkAll(options ?? {}, OPTIONS, '');
  } catch (cause) {
    throw cause instanceof TargetError
      ? cause
      : new TargetError('ERR_TARGET_INVALID_CONFIG', 'the options could not be read', { cause });
  }
}

async function shutDown(
  clients: ClosableClient | Iterable<ClosableClient>,
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
  const total = { delivered: 0, failed: 0, dropped: 0, handedOver: 0 };
  const close = async (client: ClosableClient) => {
    const { delivered, failed, dropped, handedOver = 0 } = await client.close({ timeout });
    total.delivered += delivered;
    total.failed += failed;
    total.dropped += dropped;
    total.handedOver += handedOver;
  };
  await Promise.all(listOf(clients, keep).map((client) => close(client).catch(keep)));
  const [error] = errors;
  return error ? { ...total, error } : total;
}

function listOf(
  clients: ClosableClient | Iterable<ClosableClient>,
  keep: (thrown: unknown) => void,
): ClosableClient[] {
  try {
    return Symbol.iterator in clients ? [...clients] : [clients];
  } catch (thrown) {
    keep(thrown);
    return [];
  }
}

/** Closes the server within a limit, then cuts every connection that is left. */
async function closeServer(server: ClosableServer, limitMs: number): Promise<void> {
  // A client could send one request after another over a connection that is kept alive, so idle ones are closed.
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
