import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TargetClient, type TargetClientConfig } from '../../src/index.js';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { artifactOf } from '../fixtures/rules.js';
import type { Check } from './checks.js';
import { releaseOf } from './world.js';

const FAR = '2099-01-01T00:00:00.000Z';
const MS_TO_COME = 15_000;
const RULES = /rules\.json$/;
const MAX_ARTIFACT_BYTES = 32 * 1024 * 1024;
const SLACK_BYTES = 32 * 1024 * 1024;

/** A client that polls quickly, with what it warned of and the release that it decides by. */
class Subject {
  readonly client: TargetClient;
  readonly warnings: string[] = [];
  readonly failures: string[] = [];

  constructor(edge: TargetEdge, config: Partial<TargetClientConfig> = {}) {
    this.client = TargetClient.create({
      ...edge.config,
      decisioningMethod: 'on-device',
      targetLocationHint: '35',
      telemetryEnabled: false,
      artifactLocation: edge.artifactUrl,
      pollingInterval: 20,
      logger: { warn: (line: unknown) => void this.warnings.push(String(line)) },
      events: { artifactDownloadFailed: ({ error }) => void this.failures.push(error.message) },
      ...config,
    });
  }

  async shown(): Promise<unknown> {
    const { response } = await this.client.getOffers({
      request: { execute: { mboxes: [{ name: 'hero' }] } },
    });
    return response.execute?.mboxes?.[0]?.options?.[0]?.content;
  }

  /** Resolves when another artifact is in use. Polls and edge keep no process alive: the limit of the wait does. */
  async nextArtifact(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no other artifact came')), MS_TO_COME);
      this.client.on('artifactDownloadSucceeded', () => resolve());
    });
    clearTimeout(timer);
  }
}

/** A release of the artifact with another date. */
function dated(release: number, generatedAt: string): object {
  const artifact = releaseOf(release) as { readonly meta: object };
  return { ...artifact, meta: { ...artifact.meta, generatedAt } };
}

/** The last word of a store is what the next process finds in it. */
function memory() {
  const kept = new Map<string, string>();
  return {
    get: async (key: string) => kept.get(key),
    set: async (key: string, text: string) => void kept.set(key, text),
  };
}

async function checkFuture(): Promise<void> {
  await using edge = await startTargetEdge({ artifact: dated(1, FAR) });
  const artifactStore = memory();
  const first = new Subject(edge, { artifactStore });
  await first.client.ready();
  const later = first.nextArtifact();
  edge.setArtifact(dated(2, new Date().toISOString()));
  await later;
  equal(await first.shown(), 'release 2');
  equal(first.warnings.filter((line) => line.includes(FAR)).length, 1);
  await artifactStore.set(edge.artifactUrl, JSON.stringify(dated(1, FAR)));
  await first.client.close();
  edge.setArtifact(dated(3, new Date(Date.now() - 7 * 24 * 3600_000).toISOString()));
  const second = new Subject(edge, { artifactStore });
  await second.nextArtifact();
  equal(await second.shown(), 'release 3');
  await second.client.close();
}

async function checkBlank(): Promise<void> {
  await using edge = await startTargetEdge({ artifact: releaseOf(1) });
  const subject = new Subject(edge);
  await subject.client.ready();
  const taken = subject.nextArtifact();
  edge.clearRequests();
  edge.setArtifact(artifactOf({}));
  await taken;
  const whole = edge.requestsTo(RULES).filter(({ status }) => status === 200);
  deepEqual(
    whole.map(({ headers }) => headers['if-none-match'] !== undefined),
    [true, false],
  );
  equal(await subject.shown(), undefined);
  match(subject.warnings.join(), /^AT: an artifact without any rules was not taken[^,]*$/);
  deepEqual(subject.failures, []);
  await subject.client.close();
}

/** A CDN that lets no more than 8 KB of headers in, and sends more than that itself. */
async function checkLongETag(): Promise<void> {
  const etag = `"${'x'.repeat(15_000)}"`;
  let release = 1;
  const conditions: (string | undefined)[] = [];
  const cdn = createServer({ maxHeaderSize: 8192 }, ({ headers }, response) => {
    conditions.push(headers['if-none-match']);
    response.writeHead(200, { ETag: etag }).end(JSON.stringify(releaseOf(release)));
  });
  cdn.listen(0, '127.0.0.1');
  await once(cdn, 'listening');
  const { port } = cdn.address() as AddressInfo;
  await using edge = await startTargetEdge({});
  const artifactLocation = `http://127.0.0.1:${port}/rules.json`;
  const subject = new Subject(edge, { artifactLocation, pollingInterval: 0 });
  try {
    await subject.client.ready();
    release = 2;
    await subject.client.refresh();
    equal(await subject.shown(), 'release 2');
    deepEqual(conditions, [undefined, undefined]);
  } finally {
    await subject.client.close();
    cdn.close();
    cdn.closeAllConnections();
  }
}

/** An artifact in a file of its own folder, and a client of it that holds its first release. */
async function withFile(check: (subject: Subject, path: string) => Promise<void>): Promise<void> {
  await using edge = await startTargetEdge({});
  const folder = mkdtempSync(join(tmpdir(), 'fault-lab-'));
  const path = join(folder, 'rules.json');
  try {
    writeFileSync(path, JSON.stringify(releaseOf(1)));
    const subject = new Subject(edge, { artifactLocation: pathToFileURL(path).href, pollingInterval: 0 });
    await subject.client.ready();
    await check(subject, path);
    equal(await subject.shown(), 'release 1');
    rmSync(path);
    writeFileSync(path, JSON.stringify(releaseOf(2)));
    await subject.client.refresh();
    equal(await subject.shown(), 'release 2');
    await subject.client.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is there is a file when it is looked at by chance, and a pipe when it is opened. */
async function checkPipe({ client }: Subject, path: string): Promise<void> {
  const kinds = [`${path}.file`, `${path}.pipe`] as const;
  renameSync(path, kinds[0]);
  execFileSync('mkfifo', [kinds[1]]);
  let turn = 0;
  const swap = () => {
    turn += 1;
    linkSync(kinds[turn % 2 === 0 ? 0 : 1], `${path}.next`);
    renameSync(`${path}.next`, path);
  };
  swap();
  const timer = setInterval(swap);
  try {
    for (let time = 0; time < 200; time += 1) {
      await client.refresh().catch(() => undefined);
    }
  } finally {
    clearInterval(timer);
  }
  if (turn % 2 === 0) {
    swap();
  }
  // More of them than a process has threads for files.
  for (let time = 0; time < 8; time += 1) {
    await rejects(client.refresh(), /no regular file/);
  }
}

/** The file is small each time that it is looked at by chance, and has a GiB when it is read. */
async function checkGrowing({ client }: Subject, path: string): Promise<void> {
  const { length } = JSON.stringify(releaseOf(1));
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    truncateSync(path, turn % 2 === 0 ? length : 1024 ** 3);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  });
  try {
    for (let time = 0; time < 50; time += 1) {
      await client.refresh().catch(() => undefined);
    }
  } finally {
    clearInterval(timer);
  }
  ok(peak <= MAX_ARTIFACT_BYTES + SLACK_BYTES, `${peak} bytes of a file were held`);
}

/** Artifacts that came whole, but are strange, and files that are none. */
export const ARRIVAL_CHECKS: readonly Check[] = [
  {
    input: 'artifact with a date in the year 2099, downloaded or from a store, then others',
    ours: 'It is taken, with one warning. The next one replaces it.',
    run: checkFuture,
  },
  {
    input: 'artifact without any rules after a good one',
    ours: 'There is one warning. It is taken when a second whole download is the same.',
    run: checkBlank,
  },
  {
    input: 'ETag of 15 KB',
    ours: 'It is not sent back. The artifact is taken.',
    run: checkLongETag,
  },
  {
    input: 'artifact file replaced by a pipe',
    ours: 'There is an error at once. The last good artifact stays. No thread waits.',
    run: () => withFile(checkPipe),
  },
  {
    input: 'artifact file that grows to 1 GiB while it is read',
    ours: 'At most 32 MiB are read. The last good artifact stays.',
    run: () => withFile(checkGrowing),
  },
];
