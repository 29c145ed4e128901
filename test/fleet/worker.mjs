// A process of node:cluster. The primary starts four workers, which share a store of files, and passes on what they say.
import cluster from 'node:cluster';
import { createRequire } from 'node:module';

const [, , projects, configText] = process.argv;
const WORKERS = 4;

if (cluster.isPrimary) {
  for (let count = 0; count < WORKERS; count += 1) {
    cluster.fork();
  }
  cluster.on('message', (_, message) => process.send(message));
  cluster.on('exit', () => process.connected && cluster.fork());
  // The parent asks for a refresh by one of them, or for the end of one.
  process.on('message', (what) => {
    const [worker] = Object.values(cluster.workers);
    if (what === 'kill') {
      worker.process.kill('SIGKILL');
    } else {
      worker.send(what);
    }
  });
  process.on('disconnect', () => process.exit());
} else {
  const load = createRequire(`${projects}/package.json`);
  const { TargetClient } = load('target-node-sdk');
  const { fileArtifactStore } = load('target-node-sdk/stores/file');
  const { directory, ...config } = JSON.parse(configText);
  const client = TargetClient.create({
    ...config,
    artifactStore: fileArtifactStore({ directory }),
    telemetryEnabled: false,
  });
  await client.ready();
  process.on('message', () => void client.refresh());
  process.on('disconnect', () => process.exit());
  let last;
  const request = { prefetch: { mboxes: [{ name: 'hero', index: 1 }] } };
  setInterval(async () => {
    const { response } = await client.getOffers({ request });
    const release = response.prefetch.mboxes[0].options[0].content;
    if (release !== last) {
      last = release;
      process.send({ pid: process.pid, release });
    }
  }, 10);
}
