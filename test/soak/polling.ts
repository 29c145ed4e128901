import { mock } from 'node:test';
import { type FetchApi, TargetClient } from '../../src/index.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { type Sample, type SoakResult, sample } from './measure.js';
import { json } from './network.js';

const HOURS_MS = 10 * 60 * 60_000;
const POLL_MS = 1000;
const SAMPLES = 20;
const STEP_MS = 500;

const artifact = (release: number) =>
  artifactOf(
    { hero: [rule('hero', { shows: `release ${release}` })] },
    {},
    {
      meta: { generatedAt: new Date(Date.UTC(2026, 0, 1) + release * 1000).toISOString() },
    },
  );

/** A CDN with a new release at each tenth request; the one behind it fails, and the others have nothing new. */
function cdn() {
  let requests = 0;
  const fetchApi: FetchApi = async () => {
    requests += 1;
    const release = Math.ceil(requests / 10);
    if (requests % 10 === 1) {
      return json(artifact(release), { etag: `"${release}"` });
    }
    if (requests % 10 === 2) {
      return { ...json({}), status: 503 };
    }
    return { ...json(''), status: 304 };
  };
  return { fetchApi, requests: () => requests };
}

/** Ten hours of polls, one a second, on a clock that is faked; new releases, failures and nothing new. */
export async function soakPolling(): Promise<SoakResult> {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { fetchApi, requests } = cdn();
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    decisioningMethod: 'on-device',
    artifactLocation: 'http://cdn.test/rules.json',
    pollingInterval: POLL_MS,
    targetLocationHint: '35',
    telemetryEnabled: false,
    fetchApi,
  });
  const samples: Sample[] = [];
  for (let passedMs = STEP_MS; passedMs <= HOURS_MS; passedMs += STEP_MS) {
    mock.timers.tick(STEP_MS);
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise(setImmediate);
    }
    if (passedMs % (HOURS_MS / SAMPLES) === 0) {
      samples.push(await sample(requests()));
    }
  }
  const { response } = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
  const content = response.prefetch?.mboxes?.[0]?.options?.[0]?.content;
  const newest = `release ${Math.ceil(requests() / 10)}`;
  if (content !== newest || requests() < 20_000) {
    throw new Error(`${requests()} polls, and ${content} is in use`);
  }
  await client.close();
  mock.timers.reset();
  return { name: 'polls, in ten hours of a faked clock', unit: 'poll', maxBytes: 16, samples };
}
