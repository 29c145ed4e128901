import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { SharedArtifactStore, TargetClient } from '../../src/index.js';
import type { TargetEdge } from '../../src/testing/edge.js';
import { busyMs } from '../fault-lab/verdict.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { ListOutbox } from './list-outbox.js';
import type { Library, OpenClient } from './redis-clients.js';
import { type Place, type RedisFault, TOLD_BY } from './redis-faults.js';
import { startRedis } from './redis-server.js';
import { startRelay } from './relay.js';
import { SECRET, type Stores } from './stores.js';

type Testing = typeof import('target-node-sdk/testing');
type Package = typeof import('target-node-sdk');

/** The time at which the fault comes: before the client, after its start, or after it has changed with others. */
export const PHASES = ['cold', 'warm', 'mid-life'] as const;

/** The parts of the package that a row uses. */
export interface Kit {
  readonly startTargetEdge: Testing['startTargetEdge'];
  readonly TargetClient: Package['TargetClient'];
  readonly redisArtifactStore: Stores['redisArtifactStore'];
}

/** One fault at one time of a client's life. */
export interface Row {
  readonly library: Library;
  readonly fault: RedisFault;
  readonly phase: (typeof PHASES)[number];
  /** True when the client also hands its notifications over to the same Redis. @default false */
  readonly hasOutbox?: boolean;
}

const POLL_MS = 500;
const LOOK_MS = 100;
const ACTIVATION_MS = 300;
/** A decision never waits for a store. It has this long, and the time in which the process was too busy. */
const MAX_DECISION_MS = 2000;
const MAX_CLOSE_MS = 3000;
const MAX_UNSETTLED = 4;
/** The number of pushes of an outbox that may be unsettled. */
const MAX_PUSHES = 8;
const MAX_WAIT_MS = 75_000;
/** Time for which a fault lasts at least. */
const FAULT_MS = 1500;
const VISITORS = 20;

/** Plays a fault, and rejects with what did not hold. */
export async function checkRow(kit: Kit, row: Row): Promise<void> {
  const server = await startRedis();
  const place: Place = { server, relay: await startRelay(server.port) };
  const edge = await kit.startTargetEdge({
    artifact: flagsArtifact({ release: '1' }),
    acceptToken: () => true,
    maxRequests: 100_000,
  });
  const library = await row.library.open(place.relay.port);
  const life = new Life(kit, row, { place, edge, library });
  try {
    await life.run();
  } finally {
    await life.end();
    await library.close();
    place.relay.close();
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
  readonly #outbox: ListOutbox | undefined;
  #mostUnsettled = 0;
  /** The number of decisions that owe a notification. */
  #impressions = 0;
  /** The number of notifications with an event that says that they will not be delivered. */
  #evented = 0;
  #allowed: string[] = [];
  #isOver = false;

  constructor(kit: Kit, row: Row, parts: { place: Place; edge: TargetEdge; library: OpenClient }) {
    this.#kit = kit;
    this.#row = row;
    this.#place = parts.place;
    this.#edge = parts.edge;
    this.#library = parts.library;
    this.#outbox = row.hasOutbox ? new ListOutbox(parts.library.client) : undefined;
  }

  async run(): Promise<void> {
    const { fault, phase } = this.#row;
    await this.#other();
    if (phase === 'cold') {
      await fault.strike(this.#place);
    }
    const client = this.#start(this.#store(), this.#outbox);
    client.on('sendNotificationError', () => {
      this.#evented += 1;
    });
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
    this.#isOver = true;
    await deciding;
    await this.#checkClose(client);
    await this.#checkLaw(client);
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
    // On a busy machine the answer to an offer may come too late. The next one then finds the artifact there.
    await becomes(
      () => {
        const { taken = 0, same = 0 } = other.stats().artifactStore?.offers ?? {};
        return taken + same > 0;
      },
      () => `the first offer: ${JSON.stringify(other.stats().artifactStore)}`,
    );
    await other.close();
    this.#lines.length = 0;
    this.#states.length = 0;
  }

  #start(artifactStore: SharedArtifactStore | undefined, outbox?: ListOutbox): TargetClient {
    const keep = (line: unknown) => void (artifactStore && this.#lines.push(String(line)));
    const nothing = () => undefined;
    const client = this.#kit.TargetClient.create({
      ...this.#edge.config,
      decisioningMethod: 'on-device',
      artifactLocation: this.#edge.artifactUrl,
      pollingInterval: POLL_MS,
      telemetryEnabled: false,
      artifactStore,
      ...(outbox && { targetLocationHint: '35', notifications: { outbox, mode: 'always' as const } }),
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
      if (!this.#allowed.includes(release) || ms > MAX_DECISION_MS + busyMs()) {
        this.#wrong.push(`release ${release} after ${Math.round(ms)} ms, not ${this.#allowed.join()}`);
      }
      await this.#impress(client);
      await pause(20);
    }
  }

  /** A decision that owes a notification, when there is an outbox to take it. */
  async #impress(client: TargetClient): Promise<void> {
    if (this.#outbox) {
      this.#impressions += 1;
      const id = { tntId: `impressed-${this.#impressions}.35_0` };
      await client.getOffers({ request: { id, execute: { mboxes: [{ name: 'hero' }] } } });
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
    const { taken } = this.#outbox ?? {};
    const before = taken?.size ?? 0;
    await becomes(() => !taken || taken.size > before, '(d) the outbox takes notifications again');
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
    await client.close({ timeout: 500 });
    const ms = performance.now() - from;
    ok(ms <= MAX_CLOSE_MS + busyMs(), `(e) close() took ${Math.round(ms)} ms`);
  }

  /** Each notification has one fate, which the counts tell, and none is lost but by Redis. */
  async #checkLaw(client: TargetClient): Promise<void> {
    const outbox = this.#outbox;
    if (!outbox) {
      return;
    }
    const { accepted, delivered, failed, dropped, queued, handedOver } = client.stats().notifications;
    equal(accepted, this.#impressions, 'each impression is accepted');
    equal(delivered + failed + dropped + handedOver, accepted, 'the law of the process');
    deepEqual([queued, this.#evented], [0, failed + dropped], 'what is not delivered is told');
    ok(outbox.mostUnsettled <= MAX_PUSHES, `${outbox.mostUnsettled} pushes were outstanding`);
    const arrived = new Set(
      this.#edge.requests.flatMap(({ delivery, status }) =>
        status === 200 ? (delivery?.notifications ?? []).map(({ id }) => id) : [],
      ),
    );
    ok(arrived.size >= delivered && outbox.taken.size >= handedOver, 'only what arrived is counted');
    const { fault } = this.#row;
    await fault.heal(this.#place);
    const held = fault.isLossy ? outbox.taken : await outbox.held();
    const missing = [...outbox.taken].filter((id) => !held.has(id));
    deepEqual(missing, [], 'Redis has what it took');
    const kept = new Set([...arrived, ...held]).size;
    ok(kept >= delivered + handedOver, `of ${accepted} notifications, ${kept} are somewhere`);
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
