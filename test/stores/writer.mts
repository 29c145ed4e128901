/** Writes one version after the other into a store of files, until it is killed. */
import { fileArtifactStore } from '../../src/stores/file.js';
import { offered } from './contract.js';

const [, , directory = '', key = ''] = process.argv;
const store = fileArtifactStore({ directory });
const { signal } = new AbortController();
for (let count = 0; ; count += 1) {
  const text = JSON.stringify(`${process.pid}:${count}${'x'.repeat(300_000)}`);
  await store.offer(key, offered(text, { isForced: true }), { signal });
  process.send?.('written');
}
