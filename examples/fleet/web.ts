/** A web process of the fleet. It decides by rules that all processes share, and hands over impressions that must wait. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { closeOnSignal, TargetClient } from 'target-node-sdk';
import { redisArtifactStore } from 'target-node-sdk/stores/redis';
import { openQueue, toConnection, toOutbox } from './queue.js';
import { followSupervisor, reportAlways, send, sendLast, toReport } from './report.js';
import { readSettings } from './settings.js';

/** Both are five minutes and five seconds by default. They are short here, so that there is something to see. */
const POLLING_INTERVAL_MS = 5_000;
const ACTIVATION_DELAY_MS = 3_000;
const READY_MS = 10_000;
const GRACE_MS = 5_000;

const { edge, redisPort, artifactLocation, mode, secret } = readSettings();
const redis = new Redis(toConnection(redisPort));
// The client works without the store while Redis is away, and Redis' own client connects again by itself.
redis.on('error', () => undefined);

const client = TargetClient.create({
  ...edge,
  decisioningMethod: 'on-device',
  artifactLocation,
  pollingInterval: POLLING_INTERVAL_MS,
  artifactStore: redisArtifactStore(redis, { secret, activationDelay: ACTIVATION_DELAY_MS }),
  notifications: { outbox: toOutbox(openQueue(redisPort)), mode },
  events: {
    artifactDownloadSucceeded: () => send({ ...toReport(client.stats()), changedAtMs: Date.now() }),
  },
});
followSupervisor();

/** Shows the banner of the shop to a visitor. Its impression is reported behind the answer. */
const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://shop.example');
  try {
    const answer = await client.getAttributes(['banner'], {
      request: {
        id: { tntId: url.searchParams.get('visitor') ?? undefined },
        context: { channel: 'web', address: { url: url.href } },
        execute: { mboxes: [{ name: 'banner' }] },
      },
    });
    const release = answer.getNumber('banner', 'release', 0);
    // The supervisor hears of the impression before the visitor sees the page, so that its account has every page.
    send(report());
    response.end(String(release));
  } catch (error) {
    console.error(`default content is shown: ${error}`);
    response.writeHead(503).end();
  }
});

try {
  await client.ready({ timeout: READY_MS });
} catch (error) {
  // The client goes on trying, and the pages have default content until it succeeds.
  console.error(`no rules yet: ${error}`);
}
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
reportAlways(report);

function report() {
  return { ...toReport(client.stats()), port };
}

// Pages under way are answered. Then all that still waits is handed over, which loses nothing.
const { closed } = closeOnSignal(client, { server, signals: ['SIGTERM'], timeout: GRACE_MS });
await closed;
sendLast(report());
