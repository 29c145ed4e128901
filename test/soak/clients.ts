import { TargetClient, type TargetClientConfig } from '../../src/index.js';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { type Sample, type SoakResult, sample } from './measure.js';

const CLIENTS = 10_000;
const SAMPLES = 20;
const AT_A_TIME = 10;

/** Makes a client, has it decide as it is set up to, and closes it. */
async function live(edge: TargetEdge, config: Partial<TargetClientConfig>): Promise<void> {
  const client = TargetClient.create({ ...edge.config, ...config });
  await client.ready();
  const { response } = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
  if (response.execute?.mboxes?.[0]?.options?.length !== 1) {
    throw new Error('nothing was decided');
  }
  const { failed, dropped } = await client.close();
  if (failed + dropped > 0) {
    throw new Error('a notification is missing');
  }
}

/** Ten thousand clients, one after the other or nearly so, of an edge on real sockets. */
async function soak(
  name: string,
  config: (edge: TargetEdge) => Partial<TargetClientConfig>,
): Promise<SoakResult> {
  const artifact = artifactOf({ hero: [rule('hero')] });
  const edge = await startTargetEdge({ artifact, maxRequests: 1 });
  const samples: Sample[] = [];
  for (let count = 0; count < CLIENTS; ) {
    await Promise.all(Array.from({ length: AT_A_TIME }, () => live(edge, config(edge))));
    count += AT_A_TIME;
    if (count % (CLIENTS / SAMPLES) === 0) {
      samples.push(await sample(count));
    }
  }
  await edge.close();
  return { name, unit: 'client', maxBytes: 256, samples };
}

/** Clients that ask the edge. */
export function soakServerSide(): Promise<SoakResult> {
  return soak('server-side clients, made, used and closed', () => ({}));
}

/** Clients that download, poll, and owe a notification. */
export function soakOnDevice(): Promise<SoakResult> {
  return soak('on-device clients with polling, made, used and closed', ({ artifactUrl }) => ({
    decisioningMethod: 'on-device',
    artifactLocation: artifactUrl,
    pollingInterval: 5,
  }));
}
