/** What stays on the heap: of visitors that have gone, and of an artifact. */
import { setTimeout as sleep } from 'node:timers/promises';
import { artifactOfBytes, LARGE_MBOXES, largeArtifactText } from '../artifacts.mjs';
import { settle, started, workThrough } from '../measure.mjs';
import { requestOf } from '../visitors.mjs';

const OURS = () => import('../subjects/ours.mjs');
const OFFICIAL = () => import('../subjects/official.mjs');

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'memory/visitors',
    what: 'heap kept per unique visitor, 10 mboxes each, after GC',
    needsGc: true,
    sides: {
      ours: { measure: ({ quick }) => keptPerVisitor(OURS, quick ? 2000 : 300_000) },
      official: { measure: ({ quick }) => keptPerVisitor(OFFICIAL, quick ? 50 : 2000) },
    },
    comparisons: [
      { figure: 'bytes', of: 'ours', below: 1 },
      { figure: 'bytes', of: 'official' },
    ],
  },
  artifact(
    'memory/artifact-large',
    'heap of the 741 KB artifact, before and after every location was used',
    largeArtifactText,
    [...LARGE_MBOXES, 'target-global-mbox'],
  ),
  artifact(
    'memory/artifact-10mb',
    'heap of a 10 MB artifact, before and after every location was used',
    tenMegabytes,
    () => Object.keys(JSON.parse(tenMegabytes()).rules.mboxes),
  ),
];

async function keptPerVisitor(load, visitors) {
  const { startOnDevice } = await load();
  const mboxes = () => LARGE_MBOXES.slice(0, 10).map((name, index) => ({ name, index }));
  const running = await started(async () => {
    const { client, sink } = await startOnDevice(JSON.parse(largeArtifactText()));
    const operation = (index) =>
      client.getOffers({ request: requestOf(index, { execute: { mboxes: mboxes() } }, 'shop') });
    return { operation, sink, owed: 1 };
  });
  const next = { index: 0 };
  const heapAfter = async (count) => {
    await workThrough(count, running, next);
    await settle(running, next.index);
    return heapInUse();
  };
  const before = await heapAfter(visitors);
  return { bytes: ((await heapAfter(visitors)) - before) / visitors };
}

function tenMegabytes() {
  return JSON.stringify(artifactOfBytes(10_000_000));
}

function artifact(name, what, textOf, namesOf) {
  return {
    name,
    what,
    needsGc: true,
    skippedWhenQuick: name.endsWith('10mb') ? ['ours', 'json'] : [],
    sides: {
      ours: { measure: () => heapOfClient(textOf(), typeof namesOf === 'function' ? namesOf() : namesOf) },
      json: { measure: () => heapOfJson(textOf()) },
    },
    comparisons: [
      { figure: 'bytes', of: 'ours', to: 'json', costs: 1.5 },
      { figure: 'unusedBytes', of: 'ours', to: 'json', costs: 1.5 },
    ],
  };
}

/**
 * What the first of them leaves behind when it is gone is the engine's (machine code, feedback, hidden classes), once
 * per process and not per artifact: about 0.5 MB for 741 KB, 0.6 MB for 10 MB. So some go before the one that counts.
 */
const FORERUNNERS = 2;

/** Clients of the same artifact go first, are worked through as it will be, and are let go of. */
async function heapOfClient(text, names) {
  const { startOnDevice } = await OURS();
  for (let round = 0; round < FORERUNNERS; round++) {
    const { client } = await startOnDevice(JSON.parse(text));
    await useAll(client, names);
    await client.close();
  }
  const before = await heapInUse();
  const { client } = await startOnDevice(JSON.parse(text));
  const unusedBytes = (await heapInUse()) - before;
  await useAll(client, names);
  const bytes = (await heapInUse()) - before;
  await client.close();
  return { bytes, unusedBytes };
}

async function useAll(client, names) {
  for (let index = 0; index < names.length * 8; index++) {
    const mboxes = [{ name: names[index % names.length], parameters: { foo: 'bar' } }];
    const locations = { prefetch: { mboxes, views: [{}] } };
    await client.getOffers({ request: requestOf(index, locations, 'shop') });
  }
}

async function heapOfJson(text) {
  for (let round = 0; round < FORERUNNERS; round++) {
    JSON.parse(text);
  }
  const before = await heapInUse();
  const held = [JSON.parse(text)];
  const bytes = (await heapInUse()) - before;
  held.length = 0;
  return { bytes, unusedBytes: bytes };
}

/** What is gone goes in several collections: hidden classes, for one, are kept through some. */
async function heapInUse() {
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 8; unchanged++) {
    await sleep(20);
    globalThis.gc?.();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed < least - 1024) {
      unchanged = -1;
    }
    least = Math.min(least, heapUsed);
  }
  return least;
}
