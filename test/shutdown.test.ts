import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { closeOnSignal, type EndSignal, type Shutdown, type TargetClient } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { withServers } from './listening.js';
import { confirm, fakeTimers, held, pass, withScripts } from './scripted-cdn.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const SCRIPT = join(__dirname, 'fixtures', 'closes-on-signal.ts');
const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();
const { listen } = withServers();
const running = new Set<ChildProcess>();
const waiting: Shutdown[] = [];

afterEach(() => {
  jest.useRealTimers();
  for (const child of running) {
    child.kill('SIGKILL');
  }
  running.clear();
  for (const shutdown of waiting.splice(0)) {
    shutdown.stop();
  }
});

/** Starts a process that waits for signals, sends it one at each line that is listed, and waits for its end. */
async function signalled(use: string, signals: Readonly<Record<string, NodeJS.Signals>>) {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, bench.edge.host, use], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const signal = signals[line];
    if (signal) {
      child.kill(signal);
    }
  });
  const [code, signal] = await once(child, 'close');
  const results = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return { code, signal, lines, results };
}

/** How many notifications the edge confirmed. */
function confirmed(): number {
  const ids = bench.edge.requests
    .filter(({ status }) => status === 200)
    .flatMap(({ delivery }) => delivery?.notifications ?? [])
    .map(({ id }) => id);
  return new Set(ids).size;
}

describe('a process that is asked to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'sends what all its clients owe, and ends by itself: %s',
    async (signal) => {
      bench.edge.fault({ kind: 'delay', ms: 20 });
      const { code, results } = await signalled('with nothing else', { ready: signal });
      expect(results).toEqual([{ signal, delivered: 40, failed: 0, dropped: 0, handedOver: 0 }]);
      expect(confirmed()).toBe(40);
      expect(code).toBe(0);
    },
  );

  test('ends in time when the edge hangs, and counts what was not sent', async () => {
    bench.edge.fault({ kind: 'hang' });
    const { code, lines, results } = await signalled('with little time', { ready: 'SIGTERM' });
    expect(results).toEqual([{ signal: 'SIGTERM', delivered: 0, failed: 0, dropped: 40, handedOver: 0 }]);
    expect(lines).not.toContain('still here');
    expect(code).toBe(0);
  });

  test('hands 5000 notifications over while the edge hangs, and ends by itself', async () => {
    bench.edge.fault({ kind: 'hang' });
    const { code, lines, results } = await signalled('with an outbox', { ready: 'SIGTERM' });
    expect(results).toEqual([{ signal: 'SIGTERM', delivered: 0, failed: 0, dropped: 0, handedOver: 5000 }]);
    expect(lines).toContain('taken 5000');
    expect(lines).not.toContain('still here');
    expect(code).toBe(0);
  });

  test('answers the requests under way first, and sends what they owe too', async () => {
    const { code, lines, results } = await signalled('with a server', { ready: 'SIGTERM' });
    expect(lines).toEqual(['ready', 'began', 'answered', 'taken 0', expect.stringContaining('SIGTERM')]);
    expect(results).toEqual([{ signal: 'SIGTERM', delivered: 41, failed: 0, dropped: 0, handedOver: 0 }]);
    expect(code).toBe(0);
  });

  test('tells what other work failed of, and sends what is owed all the same', async () => {
    const { code, results } = await signalled('with work that fails', { ready: 'SIGTERM' });
    expect(results).toEqual([
      { signal: 'SIGTERM', delivered: 40, failed: 0, dropped: 0, handedOver: 0, error: 'the work failed' },
    ]);
    expect(code).toBe(0);
  });

  test('ends at once of a signal that comes a second later', async () => {
    bench.edge.fault({ kind: 'hang' });
    const { signal, results } = await signalled('with much time', {
      ready: 'SIGTERM',
      'a second later': 'SIGTERM',
    });
    expect(signal).toBe('SIGTERM');
    expect(results).toEqual([]);
  });
});

describe('a process whose parent keeps a channel to it', () => {
  const FIXTURES = join(__dirname, 'fixtures');
  const execArgv = ['--import', 'tsx'];

  test('ends by itself when it was forked, and hears its parent until then', async () => {
    const child = fork(join(FIXTURES, 'forked-worker.ts'), [bench.edge.host], { execArgv });
    running.add(child);
    const messages: unknown[] = [];
    child.on('message', (message) => {
      messages.push(message);
      if (message === 'ready') {
        child.send('a word');
      }
      if (message === 'heard a word') {
        child.kill('SIGTERM');
      }
    });
    const [code] = await once(child, 'close');
    expect(messages).toEqual(['ready', 'heard a word', 'delivered 1']);
    expect(code).toBe(0);
  });

  test('ends by itself when it is a worker of a cluster', async () => {
    const script = join(FIXTURES, 'cluster-primary.ts');
    const child = spawn(process.execPath, [...execArgv, script, bench.edge.host], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    await once(child, 'close');
    expect(JSON.parse(lines[0] ?? '')).toEqual([
      'delivered 1',
      'delivered 1',
      'ended with 0',
      'ended with 0',
    ]);
  });
});

describe('closeOnSignal', () => {
  beforeEach(() => {
    // The channel of this process is that of the test runner, which would lose its worker.
    if (process.channel) {
      jest.spyOn(process.channel, 'unref').mockImplementation(() => undefined);
    }
  });

  const counts = { delivered: 1, failed: 2, dropped: 3, handedOver: 4 };
  const closing = (close = async () => counts): Pick<TargetClient, 'close'> => ({ close: jest.fn(close) });
  const wait = (...args: Parameters<typeof closeOnSignal>) => {
    const shutdown = closeOnSignal(...args);
    waiting.push(shutdown);
    return shutdown;
  };
  const listeners = (...signals: EndSignal[]) => signals.map((signal) => process.listenerCount(signal));

  test('adds a listener to each signal, and removes it when nobody wants to wait any more', () => {
    const before = listeners('SIGTERM', 'SIGINT', 'SIGHUP');
    const shutdown = wait(closing());
    expect(listeners('SIGTERM', 'SIGINT', 'SIGHUP')).toEqual(
      before.map((count, at) => count + (at < 2 ? 1 : 0)),
    );
    shutdown.stop();
    shutdown.stop();
    expect(listeners('SIGTERM', 'SIGINT', 'SIGHUP')).toEqual(before);
  });

  test('takes signals that follow within a second for the same one, and listens to none behind it', async () => {
    jest.useFakeTimers();
    const before = listeners('SIGHUP', 'SIGUSR2');
    const client = closing();
    const { closed } = wait(client, { signals: ['SIGHUP', 'SIGUSR2'] });
    process.emit('SIGHUP', 'SIGHUP');
    jest.advanceTimersByTime(999);
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(await closed).toEqual({ signal: 'SIGHUP', ...counts });
    jest.advanceTimersByTime(1);
    expect(listeners('SIGHUP', 'SIGUSR2')).toEqual(before);
    expect(client.close).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('closes the clients that there are when the signal comes, and adds up what they say', async () => {
    const clients = new Set([closing()]);
    const { closed } = wait(clients, { signals: ['SIGHUP'] });
    clients.add(closing());
    process.emit('SIGHUP', 'SIGHUP');
    expect(await closed).toEqual({ signal: 'SIGHUP', delivered: 2, failed: 4, dropped: 6, handedOver: 8 });
  });

  test('tells of a list of clients that cannot be read', async () => {
    const clients: Iterable<TargetClient> = {
      [Symbol.iterator]: () => {
        throw new Error('boom');
      },
    };
    const { closed } = wait(clients, { signals: ['SIGHUP'] });
    process.emit('SIGHUP', 'SIGHUP');
    const error = expect.objectContaining({ message: 'boom' });
    expect(await closed).toEqual({
      signal: 'SIGHUP',
      delivered: 0,
      failed: 0,
      dropped: 0,
      handedOver: 0,
      error,
    });
  });

  test('gives the clients the time that is left', async () => {
    jest.useFakeTimers();
    const client = closing();
    const before = () => new Promise((resolve) => setTimeout(resolve, 400));
    const { closed } = wait(client, { signals: ['SIGHUP'], timeout: 1000, before });
    process.emit('SIGHUP', 'SIGHUP');
    await jest.advanceTimersByTimeAsync(399);
    expect(client.close).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await closed;
    expect(client.close).toHaveBeenCalledWith({ timeout: 600 });
  });

  /** A client that owes twenty notifications, to an edge that does not answer before it is told to. */
  async function owing() {
    fakeTimers();
    const { script, release } = held(confirm);
    const config = { artifactPayload: flagsArtifact(), pollingInterval: 0 };
    const { client } = startWith(config, { deliveries: [script, confirm] });
    for (let decision = 0; decision < 20; decision += 1) {
      await client.getOffers({ request: HERO });
    }
    return { client, release };
  }

  test('cuts off a request that does not end, and sends what is owed all the same', async () => {
    const server = createServer();
    const { port } = await listen(server);
    const asked = request({ host: '127.0.0.1', port }).end();
    const cutOff = once(asked, 'error');
    await once(server, 'request');
    const { client, release } = await owing();
    const { closed } = wait(client, { signals: ['SIGHUP'], timeout: 1000, server });
    process.emit('SIGHUP', 'SIGHUP');
    await pass(749);
    expect(asked.destroyed).toBe(false);
    await pass(1);
    await cutOff;
    release();
    expect(await closed).toEqual({ signal: 'SIGHUP', delivered: 20, failed: 0, dropped: 0, handedOver: 0 });
  });

  test('waits for other work, but not for ever', async () => {
    const { client, release } = await owing();
    const before = () => new Promise(() => undefined);
    const { closed } = wait(client, { signals: ['SIGHUP'], timeout: 1000, before });
    process.emit('SIGHUP', 'SIGHUP');
    await pass(749);
    await client.getOffers({ request: HERO });
    await pass(1);
    expect((await targetErrorOf(() => client.getOffers({ request: HERO }))).code).toBe('ERR_TARGET_CLOSED');
    release();
    expect(await closed).toEqual({ signal: 'SIGHUP', delivered: 21, failed: 0, dropped: 0, handedOver: 0 });
  });

  test('does not reject when something does', async () => {
    const failing = closing(() => Promise.reject(new Error('not closed')));
    const server = { close: (done: (error: Error) => void) => done(new Error('no server')) };
    const { closed } = wait([failing, closing()], { signals: ['SIGHUP'], server });
    process.emit('SIGHUP', 'SIGHUP');
    expect(await closed).toMatchObject({ ...counts, error: { message: 'no server' } });
  });

  test('takes a server that was closed already for closed', async () => {
    const error = Object.assign(new Error('not running'), { code: 'ERR_SERVER_NOT_RUNNING' });
    const server = { close: (done: (error: Error) => void) => done(error) };
    const { closed } = wait(closing(), { signals: ['SIGHUP'], server });
    process.emit('SIGHUP', 'SIGHUP');
    expect(await closed).toEqual({ signal: 'SIGHUP', ...counts });
  });

  test('options may be null or empty texts, and the time a text, as environment variables hold it', async () => {
    const before = jest.fn();
    const client = closing();
    const empty = { signals: null, timeout: '', server: null, before: null } as never;
    expect(() => wait(client, empty).stop()).not.toThrow();
    const { closed } = wait(client, { signals: ['SIGHUP'], timeout: '1000' as never, before });
    process.emit('SIGHUP', 'SIGHUP');
    await closed;
    expect(before).toHaveBeenCalled();
    expect(client.close).toHaveBeenCalledWith({ timeout: expect.any(Number) });
  });

  test.each<[string, unknown[]]>([
    ['timeout', [closing(), { timeout: 0 }]],
    ['timeout', [closing(), { timeout: Number.NaN }]],
    ['signals', [closing(), { signals: ['SIGTERM', 'SIGKILL'] }]],
    ['signals', [closing(), { signals: 'SIGTERM' }]],
    ['signals', [closing(), { signals: [undefined] }]],
    ['server', [closing(), { server: {} }]],
    ['server', [closing(), { server: 'app' }]],
    ['before', [closing(), { before: Promise.resolve() }]],
    ['timeout', [closing(), { timeout: 'soon' }]],
    ['clients', [undefined]],
    ['clients', [undefined, null]],
  ])('refuses at once what cannot be: %s', async (path, args) => {
    const before = listeners('SIGTERM');
    const error = await targetErrorOf(() => closeOnSignal(...(args as Parameters<typeof closeOnSignal>)));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
    expect(listeners('SIGTERM')).toEqual(before);
  });
});
