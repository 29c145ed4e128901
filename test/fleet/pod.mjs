// One process of a fleet. It writes each change of the version that it decides by, with the time, to its parent.
import { createRequire } from 'node:module';

const [, , projects, library, port, configText] = process.argv;
const load = createRequire(`${projects}/package.json`);
const loadLibrary = createRequire(`${library}/package.json`);
const { TargetClient } = load('target-node-sdk');
const { redisArtifactStore } = load('target-node-sdk/stores/redis');
const { fileArtifactStore } = load('target-node-sdk/stores/file');

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
let last;
const request = { execute: { mboxes: [{ name: 'hero', index: 1 }] } };
const decide = async () => {
  const { response } = await client.getOffers({ request });
  const release = response.execute.mboxes[0].options[0].content;
  if (release !== last) {
    last = release;
    process.send({ release, ms: Date.now() });
  }
  setTimeout(decide, 5);
};
process.on('message', () => void client.refresh().then(() => process.send({ refreshed: Date.now() })));
await decide();
