import { TargetClient } from '../../src/index.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';
import { type Sample, type SoakResult, sample } from './measure.js';
import { confirming } from './network.js';

const VISITORS = 1_000_000;
const SAMPLES = 20;
const AT_A_TIME = 500;

/** Half of the visitors each, some by their page, browser or place: everything that a decision could remember. */
function artifact(): object {
  const half = (experience: number) =>
    rule('hero', {
      activity: 1000,
      experience,
      when: allocated(experience * 50, experience * 50 + 50),
    });
  const mboxes = {
    hero: [half(0), half(1)],
    page: [rule('page', { activity: 2000, when: { in: ['shop', { var: 'page.url' }] } })],
    agent: [rule('agent', { activity: 3000, when: { '==': ['chrome', { var: 'user.browserType' }] } })],
    place: [rule('place', { activity: 4000, when: { '==': ['CH', { var: 'geo.country' }] } })],
  };
  return artifactOf(mboxes, {}, { geoTargetingEnabled: true });
}

/** A visitor whom nobody has seen before, on a page that nobody has seen before. */
function visit(client: TargetClient, visitor: number): Promise<unknown> {
  const ipAddress = `10.${visitor >> 16}.${(visitor >> 8) & 255}.${visitor & 255}`;
  return client.getOffers({
    sessionId: `session${visitor}`,
    request: {
      id: { tntId: `visitor${visitor}.35_0` },
      context: {
        channel: 'web',
        address: {
          url: `https://shop.example/${visitor}?visitor=${visitor}`,
          referringUrl: `https://a${visitor}.example/`,
        },
        userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/${visitor}.0.0.0 Safari/537.36`,
        // A look-up is a call of its own.
        geo: visitor % 10 === 0 ? { ipAddress } : { countryCode: 'CH' },
      },
      execute: { mboxes: [{ name: 'hero', parameters: { [`p${visitor}`]: visitor } }] },
      prefetch: { mboxes: ['page', 'agent', 'place'].map((name, index) => ({ index, name })) },
    },
  });
}

/** A million visitors, one client. */
export async function soakVisitors(): Promise<SoakResult> {
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    decisioningMethod: 'on-device',
    artifactPayload: artifact(),
    pollingInterval: 0,
    fetchApi: confirming,
  });
  const samples: Sample[] = [];
  for (let visitor = 0; visitor < VISITORS; ) {
    const together: Promise<unknown>[] = [];
    for (let left = AT_A_TIME; left > 0; left -= 1) {
      together.push(visit(client, visitor++));
    }
    await Promise.all(together);
    await client.flush();
    if (visitor % (VISITORS / SAMPLES) === 0) {
      samples.push(await sample(visitor));
    }
  }
  const { delivered, failed, dropped } = await client.close();
  if (delivered !== VISITORS || failed + dropped > 0) {
    throw new Error(`notifications are missing: ${JSON.stringify({ delivered, failed, dropped })}`);
  }
  return { name: 'visitors, decided on-device by one client', unit: 'visitor', maxBytes: 1, samples };
}
