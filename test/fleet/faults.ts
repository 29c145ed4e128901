import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { SharedArtifactStore, TargetClient } from '../../src/index.js';
import type { TargetEdge } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import type { Library, OpenClient } from './redis-clients.js';
import { type Place, REDIS_FAULTS, type RedisFault, TOLD_BY } from './redis-faults.js';
import { startRedis } from './redis-server.js';
import { startRelay } from './relay.js';
import type { FleetRun } from './run.js';
import { SECRET, type Stores } from './stores.js';

type Testing = typeof import('target-node-sdk/testing');
type Package = typeof import('target-node-sdk');

/** The time at which the fault comes: before the client, after its start, or after it has changed with others. */
const PHASES = ['cold', 'warm', 'mid-life'] as const;
type Phase = (typeof PHASES)[number];

/** The parts of the package that a row uses. */
interface Kit {
  readonly startTargetEdge: Testing['startTargetEdge'];
  readonly TargetClient: Package['TargetClient'];
  readonly redisArtifactStore: Stores['redisArtifactStore'];
}

interface Row {
  readonly library: Library;
  readonly fault: RedisFault;
  readonly phase: Phase;
}

const POLL_MS = 500;
const LOOK_MS = 100;
const ACTIVATION_MS = 300;
/** Rows beside each other, each with a server of its own. */
const LANES = 3;
/** A decision never waits for a store. A busy machine has this long for it. */
const MAX_DECISION_MS = 2000;
const MAX_CLOSE_MS = 3000;
const MAX_UNSETTLED = 4;
const MAX_WAIT_MS = 75_000;
/** Time for which a fault lasts at least. */
const FAULT_MS = 1500;
const VISITORS = 20;

/** Every fault of Redis, with one library, or with all when everything is run. */
export async function checkFaults({ report, sandbox, libraries, isWhole }: FleetRun): Promise<void> {
  const kit: Kit = {
    startTargetEdge: (sandbox.require('target-node-sdk/testing') as Testing).startTargetEdge,
    TargetClient: (sandbox.require('target-node-sdk') as Package).TargetClient,
    redisArtifactStore: (sandbox.require('target-node-sdk/stores/redis') as Stores).redisArtifactStore,
  };
  const used = isWhole ? libraries : libraries.filter(({ name }) => name === 'redis 6');
  const rows = used.flatMap((library) =>
    REDIS_FAULTS.flatMap((fault) => PHASES.map((phase) => ({ library, fault, phase }))),
  );
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const work = async () => {
    for (let row = rows.shift(); row; row = rows.shift()) {
      const { library, fault, phase } = row;
      const checked = row;
      await report.check(`${library.name}, ${phase}: Redis is ${fault.name}`, () => checkRow(kit, checked));
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
  await pause(50);
  process.off('unhandledRejection', onUnhandled);
  await report.check('no promise of a row was left without a handler', () => deepEqual(unhandled, []));
}

async function checkRow(kit: Kit, row: Row): Promise<void> {
  const server = await startRedis();
  const place: Place = { server, relay: await startRelay(server.port) };
  const edge = await kit.startTargetEdge({ artifact: flagsArtifact({ release: '1' }) });
  const library = await row.library.open(place.relay.port);
  const life = new Life(kit, row, { place, edge, library });
  try {
    await life.run();
  } finally {
    await life.end();
    await library.close();
    await place.relay.close();
    place.server.kill('SIGCONT');
    await place.server.stop();
    await edge.close();
  }
}

/** One client from its start to its end, beside one without a store. */
class Life {
  readonly #kit: Kit;
  readonly #row: Row;
  readonly #place: Place;
  readonly #edge: TargetEdge;
  readonly #library: OpenClient;
  readonly #clients: TargetClient[] = [];
  readonly #lines: string[] = [];
  readonly #states: string[] = [];
  /** Decisions that took too long or were made by a version that was not the one to use. */
  readonly #wrong: string[] = [];
  #mostUnsettled = 0;
  #allowed: string[] = [];
  #isOver = false;

  constructor(kit: Kit, row: Row, parts: { place: Place; edge: TargetEdge; library: OpenClient }) {
    this.#kit = kit;
    this.#row = row;
    this.#place = parts.place;
    this.#edge = parts.edge;
    this.#library = parts.library;
  }

  async run(): Promise<void> {
    const { fault, phase } = this.#row;
    await this.#other();
    if (phase === 'cold') {
      await fault.strike(this.#place);
    }
    const client = this.#start(this.#store());
    const control = this.#start(undefined);
    await Promise.all([client, control].map((one) => one.ready({ timeout: MAX_WAIT_MS })));
    this.#allowed = ['1'];
    const deciding = this.#decideOnAndOn(client);
    if (phase === 'mid-life') {
      await this.#publish('1', '2', [client, control]);
    }
    const held = phase === 'mid-life' ? '2' : '1';
    await this.#checkFault(client, control, held);
    await fault.heal(this.#place);
    await this.#checkRecovery(client, control);
    if (fault.told !== 'empty') {
      await fault.strike(this.#place);
    }
    await this.#checkClose(client);
    this.#isOver = true;
    await deciding;
    deepEqual(this.#wrong.slice(0, 3), [], 'decisions go on');
    ok(this.#mostUnsettled <= MAX_UNSETTLED, `${this.#mostUnsettled} calls were outstanding`);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients.map((client) => client.close({ timeout: 500 })));
  }

  /** Another process of the fleet fills the store, and ends. */
  async #other(): Promise<void> {
    const other = this.#start(this.#store());
    await becomes(() => other.stats().artifactStore?.offers.taken === 1, 'the first offer');
    await other.close();
    this.#lines.length = 0;
    this.#states.length = 0;
  }

  #start(artifactStore: SharedArtifactStore | undefined): TargetClient {
    const keep = (line: unknown) => void (artifactStore && this.#lines.push(String(line)));
    const nothing = () => undefined;
    const client = this.#kit.TargetClient.create({
      ...this.#edge.config,
      decisioningMethod: 'on-device',
      artifactLocation: this.#edge.artifactUrl,
      pollingInterval: POLL_MS,
      telemetryEnabled: false,
      artifactStore,
      logger: { debug: nothing, info: nothing, warn: keep, error: keep },
    });
    client.on('artifactStoreChanged', ({ state, error }) => {
      this.#states.push(state);
      keep(error?.message ?? '');
    });
    this.#clients.push(client);
    return client;
  }

  /** A store of one client, with a count of the calls that have not settled. */
  #store(): SharedArtifactStore {
    const times = { pollingInterval: LOOK_MS, activationDelay: ACTIVATION_MS };
    const store = this.#kit.redisArtifactStore(this.#library.client, { secret: SECRET, ...times });
    let unsettled = 0;
    const counted = <Args extends unknown[], Answer>(call: (...args: Args) => PromiseLike<Answer>) => {
      return async (...args: Args): Promise<Answer> => {
        unsettled += 1;
        this.#mostUnsettled = Math.max(this.#mostUnsettled, unsettled);
        try {
          return await call(...args);
        } finally {
          unsettled -= 1;
        }
      };
    };
    const { peek, read, offer, confirm, claim, ...settings } = store;
    return {
      ...settings,
      peek: counted(peek),
      read: counted(read),
      offer: counted(offer),
      confirm: counted(confirm),
      claim: counted(claim),
    };
  }

  /** (a) and (c): each decision is made at once, by a version that may be in use. */
  async #decideOnAndOn(client: TargetClient): Promise<void> {
    while (!this.#isOver) {
      const from = performance.now();
      const release = await releaseOf(client).catch(String);
      const ms = performance.now() - from;
      if (!this.#allowed.includes(release) || ms > MAX_DECISION_MS) {
        this.#wrong.push(`release ${release} after ${Math.round(ms)} ms, not ${this.#allowed.join()}`);
      }
      await pause(20);
    }
  }

  /** A new version comes to the CDN, and all clients take it. */
  async #publish(before: string, release: string, clients: readonly TargetClient[]): Promise<void> {
    this.#allowed = [before, release];
    this.#edge.setArtifact(flagsArtifact({ release }));
    for (const client of clients) {
      await becomes(async () => (await releaseOf(client)) === release, `release ${release}`);
    }
    this.#allowed = [release];
  }

  async #checkFault(client: TargetClient, control: TargetClient, held: string): Promise<void> {
    const { fault, phase } = this.#row;
    const from = performance.now();
    this.#edge.clearRequests();
    if (phase !== 'cold') {
      await fault.strike(this.#place);
    }
    const wanted = TOLD_BY[fault.told];
    if (wanted) {
      const isTold = () => this.#lines.some((line) => wanted.test(line));
      await becomes(isTold, `(f) a line such as ${wanted.source}`);
    }
    await pause(FAULT_MS);
    await this.#publish(held, '3', [client, control]);
    await this.#compare(client, control);
    // (b): two clients poll, the first download is made again after a restart, and one process repairs the store.
    const intervals = (performance.now() - from) / (0.9 * POLL_MS);
    const asked = this.#edge.requests.filter(({ path }) => path.endsWith('rules.json')).length;
    ok(asked <= 2 * intervals + 4, `(b) ${asked} requests to the CDN in ${intervals.toFixed(1)} intervals`);
  }

  /** (d): the store is used again, without a restart. */
  async #checkRecovery(client: TargetClient, control: TargetClient): Promise<void> {
    await becomes(
      () => client.stats().artifactStore?.state === 'ok',
      () => `(d) the store works again: ${JSON.stringify(client.stats().artifactStore)}`,
    );
    await this.#publish('3', '4', [client, control]);
    await this.#compare(client, control);
    const reader = this.#store();
    const { id } = client.stats().artifact ?? {};
    const key = this.#edge.artifactUrl;
    const options = { signal: new AbortController().signal };
    await becomes(async () => (await reader.peek(key, options))?.id === id, '(d) the store has the version');
    equal((await reader.read(key, options))?.id, id);
    const changes = this.#states.filter((state, index) => state !== this.#states[index - 1]);
    deepEqual(this.#states, changes, 'each event is a change');
    ok(this.#states.length <= 4, `the state came and went: ${this.#states.join()}`);
  }

  /** (e): the client ends in time, with the fault still on. */
  async #checkClose(client: TargetClient): Promise<void> {
    const from = performance.now();
    this.#isOver = true;
    await client.close({ timeout: 500 });
    const ms = performance.now() - from;
    ok(ms <= MAX_CLOSE_MS, `(e) close() took ${Math.round(ms)} ms`);
  }

  /** Decisions are those of a client without a store. */
  async #compare(client: TargetClient, control: TargetClient): Promise<void> {
    for (let visitor = 0; visitor < VISITORS; visitor += 1) {
      const [own, other] = await Promise.all([client, control].map((one) => decisionsOf(one, visitor)));
      deepEqual(own, other);
    }
  }
}

async function releaseOf(client: TargetClient): Promise<string> {
  const { response } = await client.getOffers({
    request: { prefetch: { mboxes: [{ name: 'hero', index: 1 }] } },
  });
  return String(response.prefetch?.mboxes?.[0]?.options?.[0]?.content);
}

async function decisionsOf(client: TargetClient, visitor: number): Promise<unknown> {
  const mboxes = ['hero', 'flags', 'members'].map((name, index) => ({ name, index: index + 1 }));
  const id = { tntId: `visitor-${visitor}.35_0` };
  const { response } = await client.getOffers({ request: { id, prefetch: { mboxes } } });
  return response.prefetch;
}

async function becomes(isSo: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  for (const from = performance.now(); !(await isSo()); await pause(20)) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error(
        `${typeof what === 'string' ? what : what()}: it did not happen within ${MAX_WAIT_MS / 1000} s`,
      );
    }
  }
}
