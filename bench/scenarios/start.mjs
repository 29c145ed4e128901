/** From nothing to the first decision: importing, downloading and compiling an artifact, a cold process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'start/import',
    what: 'import of the package in a fresh process',
    sides: {
      ours: { measure: () => importing(() => import('target-node-sdk')) },
      oursRequire: { measure: () => requiring('target-node-sdk') },
      official: { measure: () => importing(() => import('@adobe/target-nodejs-sdk')) },
      officialRequire: { measure: () => requiring('@adobe/target-nodejs-sdk') },
    },
    comparisons: [
      { figure: 'wallMs', of: 'ours', to: 'official', costs: 0.6 },
      { figure: 'cpuMs', of: 'ours', to: 'official', costs: 0.6 },
      { figure: 'wallMs', of: 'oursRequire', to: 'officialRequire', costs: 0.6 },
      { figure: 'cpuMs', of: 'oursRequire', to: 'officialRequire', costs: 0.6 },
    ],
  },
  {
    name: 'start/cold',
    what: 'import, create with the 741 KB artifact, first decision',
    sides: {
      ours: { measure: () => coldStart(() => import('../subjects/ours.mjs')) },
      official: { measure: () => coldStart(() => import('../subjects/official.mjs')) },
    },
    comparisons: [
      { figure: 'wallMs', of: 'ours', to: 'official', costs: 0.6 },
      { figure: 'cpuMs', of: 'ours', to: 'official', costs: 0.6 },
    ],
  },
  ready('start/ready-large', 'create → ready, 741 KB artifact, warm', 'large', { warmUp: 5, rounds: 15 }),
  ready('start/ready-10mb', 'create → ready, 10 MB artifact, warm', 10_000_000, { warmUp: 3, rounds: 5 }),
];

async function importing(load) {
  return clocked(load);
}

async function requiring(name) {
  const { createRequire } = await import('node:module');
  const require = createRequire(import.meta.url);
  return clocked(async () => require(name));
}

async function coldStart(load) {
  const { largeArtifact } = await import('../artifacts.mjs');
  const { requestOf } = await import('../visitors.mjs');
  await import('../sink.mjs');
  const artifact = largeArtifact();
  const request = requestOf(1, { prefetch: { mboxes: [{ name: 'mbox-feature-flags', index: 1 }] } }, 'shop');
  return clocked(async () => {
    const { startOnDevice } = await load();
    const { client } = await startOnDevice(artifact);
    await client.getOffers({ request });
  });
}

function ready(name, what, artifact, repetitions) {
  const side = (load) => (host) => ({
    measure: async ({ quick }) =>
      measureReady(await load(), host, quick ? { warmUp: 0, rounds: 1 } : repetitions),
  });
  return {
    name,
    what,
    server: { artifact, delivery: 200 },
    skippedWhenQuick: artifact === 'large' ? [] : ['ours', 'official', 'floor'],
    sides: {
      ours: side(() => import('../subjects/ours.mjs')),
      official: side(() => import('../subjects/official.mjs')),
      floor: side(() => ({ becomeReady: fetchAndParse })),
    },
    comparisons: [
      { figure: 'wallMs', of: 'ours', to: 'floor', costs: 1.5 },
      { figure: 'cpuMs', of: 'ours', to: 'floor', costs: 1.5 },
      { figure: 'cpuMs', of: 'ours', to: 'official' },
      { figure: 'stallMs', of: 'ours', to: 'floor' },
      { figure: 'stallMs', of: 'ours', to: 'official' },
    ],
  };
}

async function fetchAndParse(host) {
  const response = await fetch(`http://${host}/rules.json`);
  const json = JSON.parse(await response.text());
  return () => json;
}

/** Medians of several times, and the longest that the event loop stood still meanwhile. */
async function measureReady({ becomeReady }, host, { warmUp, rounds }) {
  for (let round = 0; round < warmUp; round++) {
    await (await becomeReady(host))();
  }
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await new Promise((resolve) => setTimeout(resolve, 5));
    delay.reset();
    let end = () => undefined;
    const clock = await clocked(async () => {
      end = await becomeReady(host);
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    delay.disable();
    results.push({ ...clock, stallMs: delay.max / 1e6 });
    await end();
  }
  const median = (figure) => results.map((result) => result[figure]).sort((a, b) => a - b)[rounds >> 1];
  return { wallMs: median('wallMs'), cpuMs: median('cpuMs'), stallMs: median('stallMs') };
}

async function clocked(act) {
  const started = performance.now();
  const cpu = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - started, cpuMs: (user + system) / 1000 };
}
