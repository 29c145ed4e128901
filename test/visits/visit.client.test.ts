import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import { type TargetClient, TargetError } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const bench = withEdge({ offers: { mboxes: { hero: html('hero') } } });

function visitOf(client: TargetClient, options: VisitOptions) {
  return createVisit(client, new Browser().request(), options);
}

describe('the circuit breaker', () => {
  /** Asks while the edge hangs, and returns the codes of the errors until the breaker opens. */
  async function codesOf(
    client: TargetClient,
    calls: number,
    ask: () => Promise<unknown>,
  ): Promise<unknown[]> {
    bench.edge.fault({ kind: 'hang' });
    const codes: unknown[] = [];
    while (codes.length < calls && codes.at(-1) !== 'ERR_TARGET_CIRCUIT_OPEN') {
      codes.push(await ask().then(undefined, (error: unknown) => error instanceof TargetError && error.code));
    }
    await client.close();
    return codes;
  }

  test('opens when a host needs longer than the timeout of visits', async () => {
    const client = bench.connect();
    const options = { timeout: 100 };
    const ask = () =>
      visitOf(client, options).getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    // A call does not count when this process was too busy for it.
    const codes = await codesOf(client, 100, ask);
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.at(-1)).toBe('ERR_TARGET_CIRCUIT_OPEN');
  });

  test('does not count the shorter timeout of one call', async () => {
    const client = bench.connect();
    const ask = () =>
      visitOf(client, { timeout: 5000 }).getOffers({
        timeout: 60,
        request: { execute: { mboxes: [{ name: 'hero' }] } },
      });
    expect(new Set(await codesOf(client, 8, ask))).toEqual(new Set(['ERR_TARGET_TIMEOUT']));
  });
});

describe('telemetry of a client', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each<[string, VisitOptions, number]>([
    ['repeats the visitor of the last call when consent is no option', {}, 2],
    ['never repeats a visitor who can withdraw the consent', { consent: true }, 1],
  ])('%s', async (_, options, calls) => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    const client = bench.connect({ telemetryEnabled: true });
    await visitOf(client, options).offer('hero', '');
    await jest.advanceTimersByTimeAsync(70_000);
    jest.useRealTimers();
    await client.close();
    expect(bench.edge.requests).toHaveLength(calls);
  });
});

describe('customer ids', () => {
  test('may come from a function, which is called once', async () => {
    const client = bench.connect();
    const customerIds = jest.fn(() => ({ crm: { id: 'c-1', authState: 1 } }) as const);
    const visit = visitOf(client, { customerIds });
    expect(customerIds).not.toHaveBeenCalled();
    await visit.offer('hero', '');
    await visit.offer('hero', '');
    expect(customerIds).toHaveBeenCalledTimes(1);
    expect(bench.sent().id?.customerIds).toMatchObject([{ id: 'c-1' }]);
  });

  test('are absent when the function fails', async () => {
    const client = bench.connect();
    const customerIds = () => {
      throw new Error('no session');
    };
    expect(await visitOf(client, { customerIds }).offer('hero', 'default')).toBe('hero');
    expect(bench.sent().id?.customerIds).toBeUndefined();
  });
});
