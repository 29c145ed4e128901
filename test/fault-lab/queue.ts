import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { TargetClient, type TargetClientConfig } from '../../src/index.js';
import {
  type Fault,
  type ReceivedRequest,
  startTargetEdge,
  type TargetEdge,
} from '../../src/testing/edge.js';
import type { Check } from './checks.js';
import { pathOf } from './scripts.js';
import { becomes } from './verdict.js';
import { releaseOf } from './world.js';

const DELIVERY = '/rest/v1/delivery';
const UNAVAILABLE = { kind: 'status', status: 503 } as const;
const LONGEST_MS = 120_000;
const CLUSTERS = ['35', '36', '37', '38', '39'];
const SICK = '39';
const MAX_BYTES = 32 * 1024 * 1024;

interface World {
  readonly edge: TargetEdge;
  readonly client: TargetClient;
  readonly show: (visitors: number, of?: Visitors) => Promise<void>;
}

interface Visitors {
  readonly name?: string;
  readonly hint?: string;
}

/** Decides here and reports to an edge on this machine; behind it, closes both, and all reports have a fate. */
async function inWorld(
  act: (world: World) => Promise<void>,
  more: (edge: TargetEdge) => Partial<TargetClientConfig> = () => ({}),
): Promise<void> {
  await using edge = await startTargetEdge({ artifact: releaseOf(1), maxRequests: 10_000 });
  const client = TargetClient.create({
    ...edge.config,
    decisioningMethod: 'on-device',
    artifactPayload: releaseOf(1),
    pollingInterval: 0,
    targetLocationHint: '35',
    telemetryEnabled: false,
    ...more(edge),
  });
  await client.ready();
  const show = async (visitors: number, { name = 'visitor', hint }: Visitors = {}) => {
    for (let visitor = 0; visitor < visitors; visitor += 1) {
      await client.getOffers({
        request: { id: { tntId: `${name}${visitor}` }, execute: { mboxes: [{ name: 'hero' }] } },
        targetLocationHint: hint,
      });
    }
  };
  try {
    await act({ edge, client, show });
  } finally {
    edge.clearFaults();
    await client.close({ timeout: 50 });
  }
  const { accepted, delivered, failed, dropped, queued } = client.stats().notifications;
  equal(accepted, delivered + failed + dropped + queued);
  equal(queued, 0);
}

/** The same answers fail each time. */
function every(share: number): () => boolean {
  let owed = 0;
  return () => {
    owed += share;
    if (owed < 1) {
      return false;
    }
    owed -= 1;
    return true;
  };
}

async function checkShare(share: number): Promise<void> {
  await inWorld(async ({ edge, client, show }) => {
    edge.fault(UNAVAILABLE, { where: every(share) });
    await show(2000);
    const { delivered, failed, dropped } = await client.flush({ timeout: LONGEST_MS });
    deepEqual({ delivered, failed, dropped }, { delivered: 2000, failed: 0, dropped: 0 });
    const requests = edge.requestsTo(DELIVERY).length;
    ok(requests <= (2000 / (1 - share)) * 1.05 + 10, `${requests} requests`);
  });
}

/** Whatever host a URL names, the edge answers; the header tells which it was. */
function detour({ port }: TargetEdge): Partial<TargetClientConfig> {
  const agent = new Agent({ keepAlive: true });
  agent.createConnection = () => connect({ port, host: '127.0.0.1' });
  return { serverDomain: undefined, agent };
}

const isOfCluster = ({ headers }: ReceivedRequest, hint: string) =>
  headers.host === `mboxedge${hint}.tt.omtrdc.net`;

async function checkCluster(fault: Fault): Promise<void> {
  await inWorld(async ({ edge, client, show }) => {
    for (const hint of CLUSTERS) {
      await show(20, { hint });
    }
    await client.flush({ timeout: LONGEST_MS });
    edge.fault(fault, { where: (request) => isOfCluster(request, SICK) });
    for (const hint of [SICK, ...CLUSTERS.filter((one) => one !== SICK)]) {
      await show(400, { hint });
    }
    const hasAll = () => client.stats().notifications.delivered >= 100 + 1600;
    ok(await becomes(hasAll, LONGEST_MS), `${JSON.stringify(client.stats().notifications)}`);
    edge.clearFaults();
    const { delivered, failed, dropped } = await client.flush({ timeout: LONGEST_MS });
    deepEqual({ delivered, failed, dropped }, { delivered: 2100, failed: 0, dropped: 0 });
  }, detour);
}

async function checkPoison(): Promise<void> {
  await inWorld(async ({ edge, client, show }) => {
    await show(10);
    await client.flush({ timeout: LONGEST_MS });
    edge.fault(UNAVAILABLE, { where: ({ delivery }) => delivery?.id?.tntId === 'poison0' });
    await show(1, { name: 'poison' });
    await show(300);
    ok(await becomes(() => client.stats().notifications.delivered === 310, LONGEST_MS));
    const { failed, dropped, queued } = client.stats().notifications;
    deepEqual({ failed, dropped, queued }, { failed: 0, dropped: 0, queued: 1 });
  });
}

async function checkFlushes(): Promise<void> {
  await inWorld(async ({ edge, client, show }) => {
    const fault = edge.fault({ ...UNAVAILABLE, headers: { 'Retry-After': '30' } });
    await show(1);
    for (let turn = 0; turn < 200; turn += 1) {
      await client.flush({ timeout: 10 });
    }
    equal(fault.hits, 1);
    equal(client.stats().notifications.queued, 1);
  });
}

async function checkHeap(): Promise<void> {
  await using edge = await startTargetEdge({ artifact: releaseOf(1) });
  edge.fault({ kind: 'hang' });
  const flags = ['--max-old-space-size=256'];
  const child = spawn(process.execPath, [...flags, pathOf('heavy-queue'), edge.host], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LONGEST_MS,
  });
  let text = '';
  child.stdout.on('data', (bytes) => {
    text += bytes;
  });
  const [code, signal] = await once(child, 'close');
  equal(code, 0, `the process ended with ${signal ?? code}`);
  const { notifications, closed } = JSON.parse(text);
  const { accepted, dropped, queued } = notifications;
  equal(accepted, 10_000);
  equal(dropped + queued, 10_000);
  ok(queued * 15_000 <= MAX_BYTES && queued * 18_000 >= MAX_BYTES, `${queued} are queued`);
  deepEqual(closed, { delivered: 0, failed: 0, dropped: 10_000, handedOver: 0 });
}

/** Reports of decisions, while a part of what they meet fails. */
export const QUEUE_CHECKS: readonly Check[] = [
  ...[0.01, 0.05, 0.3].map((share) => ({
    input: `${share * 100} % of the answers to notifications are 503`,
    ours: 'All are delivered. Each fault costs one more request. No other notification waits.',
    run: () => checkShare(share),
  })),
  ...([UNAVAILABLE, { kind: 'reset' }] as const).map((fault) => ({
    input: `one edge cluster of five ${fault.kind === 'reset' ? 'resets connections' : 'answers 503'}`,
    ours: 'Notifications for the four others are delivered meanwhile, and those for this one afterwards.',
    run: () => checkCluster(fault),
  })),
  {
    input: 'a notification that is always answered 503, beside 300 others',
    ours: 'The others are delivered while it waits.',
    run: checkPoison,
  },
  {
    input: '`flush()` in a loop while the edge answers 503 with Retry-After 30',
    ours: 'The edge gets one request. The notification goes on waiting.',
    run: checkFlushes,
  },
  {
    input: '10 000 notification calls of 15 KB each while the edge hangs, in a process with a heap of 256 MB',
    ours: '32 MiB of them wait. The others are dropped and counted. The process lives.',
    run: checkHeap,
  },
];
