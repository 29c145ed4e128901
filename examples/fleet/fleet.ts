/** The supervisor: it starts the parts of the fleet, breaks them on demand, and counts. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Judge } from './balance.js';
import { Changes } from './changes.js';
import { Edge } from './edge.js';
import { Ledger } from './ledger.js';
import { Members } from './members.js';
import { countHeld, type OpenQueue, openQueue } from './queue.js';
import { RedisServer } from './redis.js';
import type { Mode } from './settings.js';
import { type State, toBalance, toRows } from './state.js';
import { Visitors } from './visitors.js';

/** The figures of several processes may not fit while they move. So they are taken again some times. */
const TRIES = 10;
const TRY_MS = 20;
/** For this time, figures that fitted are better than newer ones that do not fit. */
const FRESH_MS = 2_000;
const PAGE_MS = 10_000;

/** A fleet with all that it needs. */
export class Fleet {
  readonly #redis: RedisServer;
  readonly #edge: Edge;
  readonly #ledger: Ledger;
  readonly #members: Members;
  readonly #changes = new Changes();
  readonly #judge = new Judge();
  readonly #visitors = new Visitors((visitor, page) => this.#show(visitor, page));
  readonly #queue: OpenQueue;
  /** The number of impressions that the queue held when it was counted last. */
  #held = 0;
  /** The last state with figures that fitted. */
  #exact: State | undefined;
  #mode: Mode;

  private constructor({ redis, edge, ledger, mode }: Parts) {
    this.#redis = redis;
    this.#edge = edge;
    this.#ledger = ledger;
    this.#mode = mode;
    this.#queue = openQueue(redis.port);
    const secret = randomBytes(32).toString('hex');
    const settings = () => ({
      edge: edge.config,
      artifactLocation: edge.artifactLocation,
      redisPort: redis.port,
      mode: this.#mode,
      secret,
    });
    this.#members = new Members(settings, ({ name }, { artifact, changedAtMs }) => {
      const release = edge.releaseOf(artifact?.generatedAt);
      this.#changes.add(name, { id: artifact?.id ?? '', release, atMs: changedAtMs });
    });
  }

  static async start(mode: Mode): Promise<Fleet> {
    const ledger = new Ledger();
    const edge = await Edge.start((url) => ledger.arrive(Number(new URL(url).searchParams.get('page'))));
    return new Fleet({ redis: await RedisServer.start(), edge, ledger, mode });
  }

  /** The things that the page can do to the fleet, by their path. */
  readonly actions: Readonly<Record<string, () => unknown>> = {
    publish: () => this.#edge.publish(),
    'kill/web-1': () => this.#members.kill('web-1'),
    'kill/web-2': () => this.#members.kill('web-2'),
    'kill/web-3': () => this.#members.kill('web-3'),
    'kill/worker': () => this.#members.kill('worker'),
    'redis/stop': () => this.#redis.stop(),
    'redis/start': () => this.#redis.restart(),
    'edge/stop': () => this.#edge.stop(),
    'edge/start': () => this.#startEdge(),
    'visitors/pause': () => this.#visitors.pause(true),
    'visitors/resume': () => this.#visitors.pause(false),
    'mode/overflow': () => this.#changeMode('overflow'),
    'mode/always': () => this.#changeMode('always'),
  };

  /** Takes the state at a moment at which all figures fit. When they move too fast for that, they differ a little. */
  async look(): Promise<State> {
    let state = await this.#count();
    for (let tried = 1; tried < TRIES && state.verdict !== 'exact'; tried += 1) {
      await pause(TRY_MS);
      state = await this.#count();
    }
    if (state.verdict === 'exact') {
      this.#exact = state;
    }
    return this.#exact && state.atMs - this.#exact.atMs < FRESH_MS ? this.#exact : state;
  }

  /** Ends everything: first who hands over, at last Redis. */
  async end(): Promise<void> {
    this.#visitors.pause(true);
    await this.#members.end();
    this.#queue.redis.disconnect();
    await this.#redis.remove();
    await this.#edge.stop();
  }

  async #count(): Promise<State> {
    if (this.#redis.isRunning) {
      // The count of a moment ago is right as long as Redis is away: nothing can be added or taken.
      this.#held = await countHeld(this.#queue).catch(() => this.#held);
    }
    this.#edge.collect();
    const members = this.#members.all;
    const laws = toBalance(members, this.#ledger, this.#held);
    const atMs = Date.now();
    return {
      atMs,
      mode: this.#mode,
      release: this.#edge.release,
      redis: this.#redis.isRunning,
      edge: this.#edge.isRunning,
      ...toRows(members, this.#ledger, this.#edge),
      arrivals: { received: this.#ledger.received, distinct: this.#ledger.distinct },
      held: this.#held,
      changes: this.#changes.all,
      visitors: {
        isPaused: this.#visitors.isPaused,
        unanswered: this.#visitors.unanswered,
        all: this.#visitors.all,
      },
      laws,
      verdict: this.#judge.judge(laws, { isCounted: this.#redis.isRunning, atMs }),
    };
  }

  /** Asks any web process for a page. */
  async #show(visitor: string, page: number): Promise<number | undefined> {
    const { serving } = this.#members;
    const member = serving[Math.floor(Math.random() * serving.length)];
    if (!member?.report?.port) {
      return undefined;
    }
    this.#ledger.ask(page, member.number);
    const url = `http://127.0.0.1:${member.report.port}/?visitor=${visitor}&page=${page}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(PAGE_MS) });
    if (!answer.ok) {
      throw new Error(`the web process answers with ${answer.status}`);
    }
    return Number(await answer.text());
  }

  async #startEdge(): Promise<void> {
    await this.#edge.restart();
    // Jobs wait longer from try to try. Who knows that the edge is back can begin at once. Without Redis, they begin later.
    await this.#queue.queue.promoteJobs().catch(() => undefined);
  }

  async #changeMode(mode: Mode): Promise<void> {
    if (mode !== this.#mode) {
      this.#mode = mode;
      await this.#members.replace();
    }
  }
}

interface Parts {
  readonly redis: RedisServer;
  readonly edge: Edge;
  readonly ledger: Ledger;
  readonly mode: Mode;
}
