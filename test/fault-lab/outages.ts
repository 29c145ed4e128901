import { deepEqual, ok } from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { steadyPort } from '../steady-port.js';
import type { Check } from './checks.js';
import { pathOf } from './scripts.js';
import { releaseOf } from './world.js';

/** As many as a queue holds; twice as many are made. */
export const OUTAGE_DECISIONS = 10_000;

/** What a process says of an outage that it has lived through. */
export interface OutageReport {
  readonly delivered: number;
  readonly failed: number;
  readonly dropped: number;
  /** Notifications with an event that says that they will not be delivered. */
  readonly evented: number;
  /** The most connections that were open at a time, those included that were being opened. */
  readonly peak: number;
  /** Connections that are left. */
  readonly open: number;
  /** By how many bytes the heap grew: with a full queue, with as many decisions again, and behind it all. */
  readonly heap: { readonly queued: number; readonly dropped: number; readonly left: number };
}

/** How an edge goes down, and comes back: as another one, where its port was closed. */
type Outage = 'refuses connections' | 'hangs' | 'answers 500';

/** Connections to one host; calls under way are half as many, but one that has just ended still has its connection. */
const MAX_SOCKETS = 128;
const MAX_BYTES_A_CALL = 4096;
/** What a heap is off by, whatever is measured. */
const SLACK_BYTES = 2 * 1024 * 1024;
const MAX_LEFT_BYTES = 6 * 1024 * 1024;
const MS_TO_END = 180_000;

async function startEdge(port: number): Promise<TargetEdge> {
  return startTargetEdge({ port, artifact: releaseOf(1), maxRequests: 2 * OUTAGE_DECISIONS });
}

async function goDown(edge: TargetEdge, outage: Outage): Promise<void> {
  if (outage === 'hangs') {
    edge.fault({ kind: 'hang' });
  } else if (outage === 'answers 500') {
    edge.fault({ kind: 'status', status: 500 });
  } else {
    await edge.close();
  }
}

async function comeBack(edge: TargetEdge, outage: Outage): Promise<TargetEdge> {
  edge.clearFaults();
  return outage === 'refuses connections' ? startEdge(edge.port) : edge;
}

/** One outage, in a process of its own. */
async function live(outage: Outage) {
  const first = await startEdge(await steadyPort());
  await goDown(first, outage);
  const child = fork(pathOf('outage'), [first.host], { execArgv: ['--expose-gc'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), MS_TO_END);
  try {
    return await outlive(first, outage, child);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await first.close();
  }
}

async function outlive(first: TargetEdge, outage: Outage, child: ChildProcess) {
  const ended = once(child, 'close');
  const next = () =>
    Promise.race([
      once(child, 'message').then(([message]) => message),
      ended.then(([code, signal]) => Promise.reject(new Error(`the process ended with ${signal ?? code}`))),
    ]);
  await next();
  const tries = first.requests.length;
  const edge = await comeBack(first, outage);
  child.send('back');
  const report: OutageReport = await next();
  const [code] = await ended;
  const ids = edge.requests
    .filter(({ status }) => status === 200)
    .flatMap(({ delivery }) => delivery?.notifications ?? [])
    .map(({ id }) => id);
  await edge.close();
  return { report, code, tries, arrived: new Set(ids).size };
}

async function checkOutage(outage: Outage): Promise<void> {
  const { report, code, tries, arrived } = await live(outage);
  const { peak, open, heap, ...counts } = report;
  deepEqual(
    { code, arrived, open, ...counts },
    {
      code: 0,
      arrived: OUTAGE_DECISIONS,
      open: 0,
      delivered: OUTAGE_DECISIONS,
      failed: 0,
      dropped: OUTAGE_DECISIONS,
      handedOver: 0,
      evented: OUTAGE_DECISIONS,
    },
  );
  ok(peak <= MAX_SOCKETS, `${peak} connections at a time`);
  ok(tries <= 8, `${tries} tries in some seconds`);
  const max = OUTAGE_DECISIONS * MAX_BYTES_A_CALL + SLACK_BYTES;
  ok(heap.queued <= max, `a full queue holds ${heap.queued} bytes`);
  ok(heap.dropped <= SLACK_BYTES, `what was dropped holds ${heap.dropped} bytes`);
  // Compiled code and lists that grew, which the next outage would find again.
  ok(heap.left <= MAX_LEFT_BYTES, `${heap.left} bytes are left of it all`);
}

/** 20 000 decisions that each owe a notification, while the edge is down. */
export const OUTAGE_CHECKS: readonly Check[] = (['refuses connections', 'hangs', 'answers 500'] as const).map(
  (outage) => ({
    input: `20 000 decisions while the edge ${outage}`,
    ours: '10 000 notifications wait, each with at most 4 KB. The others are dropped and counted. There are at most 128 sockets. All that waited are delivered afterwards.',
    run: () => checkOutage(outage),
  }),
);
