import { deepEqual, ok } from 'node:assert/strict';
import { type DeliveryRequest, TargetClient, type TargetClientConfig } from '../../src/index.js';
import { html, startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { type PortedTransport, TRANSPORTS, type Verdict, withScriptedNames } from '../scripted-names.js';
import type { Check } from './checks.js';
import { pause } from './verdict.js';

const request: DeliveryRequest = { execute: { mboxes: [{ name: 'far' }] } };
const VISITORS = 1000;
const ORDINARY_CALLS = 20;
/** As many as getaddrinfo has in a process. */
const PLACES = 2;
const MAX_LOOK_UPS = 2;
const FIRST_MADE_UP = 9000;
const FAR_SECONDS = 4_102_444_800;
const BLOCKED_MS = 2500;

async function withClient(
  config: (edge: TargetEdge) => Partial<TargetClientConfig>,
  work: (client: TargetClient, edge: TargetEdge) => Promise<void>,
): Promise<void> {
  await using edge = await startTargetEdge({ offers: { mboxes: { far: html('far away') } } });
  await using client = TargetClient.create({ ...edge.config, telemetryEnabled: false, ...config(edge) });
  await work(client, edge);
}

/** Whether everybody is served beside visitors whose clusters are made up, which the resolver says nothing about or denies. */
async function checkMadeUpClusters(start: (typeof TRANSPORTS)[number][1], verdict: Verdict): Promise<void> {
  const isMadeUp = (name: string) => /^mboxedge9\d{3}\./.test(name);
  const names = withScriptedNames((name) => (isMadeUp(name) ? verdict : 'there'), {
    places: PLACES,
    absentMs: 30,
  });
  let transport: PortedTransport | undefined;
  try {
    await withClient(
      ({ port }) => {
        transport = start(port);
        return { serverDomain: undefined, timeout: 60_000, ...transport.config };
      },
      async (client) => {
        const visitors = Array.from({ length: VISITORS }, (_, index) =>
          client.getOffers({ request, targetCookie: `PC#x.${FIRST_MADE_UP + index}_0#${FAR_SECONDS}` }),
        );
        const ordinary = Array.from({ length: ORDINARY_CALLS }, async () => client.getOffers({ request }));
        await Promise.all([...visitors, ...ordinary]);
        ok(names.mostAbsent <= MAX_LOOK_UPS, `${names.mostAbsent} look-ups at a time`);
        checkHealth(client);
      },
    );
  } finally {
    transport?.restore();
    names.restore();
  }
}

function checkHealth(client: TargetClient): void {
  const { failures, circuitBreaker } = client.stats();
  deepEqual({ failures, ...circuitBreaker }, { failures: 0, state: 'closed', refused: 0, hosts: [] });
}

/** Whether ordinary calls get through behind calls that failed for reasons of this process. */
async function checkOwnFaults(
  timeout: number,
  fail: (client: TargetClient, edge: TargetEdge) => Promise<unknown>,
): Promise<void> {
  await withClient(
    () => ({ timeout }),
    async (client, edge) => {
      edge.fault({ kind: 'hang' });
      await fail(client, edge);
      edge.clearFaults();
      deepEqual(client.stats().circuitBreaker, { state: 'closed', refused: 0, hosts: [] });
      for (let call = 0; call < ORDINARY_CALLS; call += 1) {
        await client.getOffers({ request, timeout: 10_000 });
      }
    },
  );
}

function fiveCalls(client: TargetClient, options: object = {}): Promise<unknown> {
  const calls = Array.from({ length: 5 }, () => client.getOffers({ request, ...options }));
  return Promise.all(
    calls.map((call) =>
      call.then(
        () => Promise.reject(new Error('it was answered')),
        () => undefined,
      ),
    ),
  );
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {}
}

const DENIALS: readonly [string, Verdict][] = [
  ['whose names DNS denies after 30 ms', 'ENOTFOUND'],
  ['whose names DNS never answers', undefined],
];

/** What one visitor, or this process, must not do to others. */
export const ISOLATION_CHECKS: readonly Check[] = [
  ...TRANSPORTS.flatMap(([transport, start]) =>
    DENIALS.map(([denial, verdict]) => ({
      input: `1 000 visitors with invented clusters ${denial}, on ${transport}`,
      ours: 'All calls go to the client’s own host. There is one look-up at a time. The circuit breaker stays closed.',
      run: () => checkMadeUpClusters(start, verdict),
    })),
  ),
  {
    input: 'five calls with `timeout: 5` to an edge that hangs',
    ours: 'They time out. The circuit breaker stays closed.',
    run: () => checkOwnFaults(3000, (client) => fiveCalls(client, { timeout: 5 })),
  },
  {
    input: 'event loop blocked for 2.5 s with five calls under way',
    ours: 'Calls may time out. The circuit breaker stays closed.',
    run: () =>
      checkOwnFaults(2000, async (client) => {
        const calls = fiveCalls(client);
        await pause(10);
        block(BLOCKED_MS);
        await calls;
      }),
  },
];
