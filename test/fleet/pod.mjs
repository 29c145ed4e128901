// One process of a fleet. It tells its parent of each change of the version that it decides by: the start of the last
// decision by the version before, the end of the first one by the new version, and how late its timers were meanwhile.
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const [, , projects, library, port, configText] = process.argv;
const load = createRequire(`${projects}/package.json`);
const loadLibrary = createRequire(`${library}/package.json`);
const { TargetClient } = load('target-node-sdk');
const { redisArtifactStore } = load('target-node-sdk/stores/redis');
const { fileArtifactStore } = load('target-node-sdk/stores/file');

process.on('disconnect', () => process.exit());
const { directory, ...config } = JSON.parse(configText);
let artifactStore;
if (directory) {
  artifactStore = fileArtifactStore({ directory });
} else {
  const { createClient } = loadLibrary('redis');
  const redis = createClient({ url: `redis://127.0.0.1:${port}` });
  redis.on('error', () => undefined);
  await redis.connect();
  artifactStore = redisArtifactStore(redis, { secret: 'cnrySecret' });
}
const client = TargetClient.create({ ...config, artifactStore, telemetryEnabled: false });
await client.ready();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let last;
let oldMs = 0;
// A prefetch owes no notification, so the machine has nothing else to do.
const request = { prefetch: { mboxes: [{ name: 'hero', index: 1 }] } };
const decide = async () => {
  const startedMs = Date.now();
  const { response } = await client.getOffers({ request });
  const release = response.prefetch.mboxes[0].options[0].content;
  if (release === last) {
    oldMs = startedMs;
  } else {
    last = release;
    process.send({ release, oldMs, newMs: Date.now(), lagMs: delay.max / 1e6 });
    delay.reset();
  }
  setTimeout(decide, 5);
};
process.on('message', () => void client.refresh());
await decide();
