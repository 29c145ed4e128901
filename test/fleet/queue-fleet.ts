import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { NotificationStats } from '../../src/stats.js';
import type { TargetEdge } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { idsOf } from './list-outbox.js';
import { type RedisServer, startRedis } from './redis-server.js';
import { type Relay, startRelay } from './relay.js';

/** A job of BullMQ, as far as the checks read it. */
interface Job {
  readonly data: { readonly v: number; readonly d?: string; readonly z?: string };
}

/** A queue of BullMQ, as far as the checks use it. */
export interface Queue {
  getJobs(states: readonly string[]): Promise<(Job | undefined)[]>;
  retryJobs(options: { readonly state: 'failed' }): Promise<unknown>;
  add(name: string, data: object, options: object): Promise<unknown>;
  close(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
}

/** The counts of a worker. */
interface WorkerCounts {
  readonly relayed: { readonly delivered: number; readonly failed: number };
  /** Jobs that had lost their worker. */
  readonly stalled: number;
  /** Jobs that failed, and are tried again. */
  readonly again: number;
}

interface Message extends Partial<WorkerCounts> {
  readonly ready?: boolean;
  readonly isDone?: boolean;
  readonly stats?: NotificationStats;
}

/** The settings of a fleet. */
export interface FleetSettings {
  /** The folder in which the packed package is installed. */
  readonly projects: string;
  /** The folder in which BullMQ is installed. */
  readonly library: string;
  readonly edge: TargetEdge;
  /** The arguments of redis-server. */
  readonly redis: readonly string[];
  /** The number of impressions. */
  readonly count: number;
  /** Options of the jobs that replace those of the package. */
  readonly jobOptions?: object | undefined;
  /** The lifetime of a worker's lock in ms. @default BullMQ's */
  readonly lockMs?: number | undefined;
}

/** Everything that a run shows at its end, in notifications. */
export interface Result {
  readonly lost: number;
  readonly doubled: number;
  /** Notifications that arrived, or are held, although the producer was killed before it knew that the queue has them. */
  readonly unconfirmed: number;
  readonly held: number;
  readonly relayed: number;
  readonly handedOver: number;
  readonly direct: number;
  readonly repeatedPushes: number;
  readonly stalled: number;
  readonly again: number;
}

const PROCESS = fileURLToPath(new URL('queues-process.mjs', import.meta.url));
const NAME = 'target';
const RATE = 500;
const STATES = ['waiting', 'active', 'delayed', 'failed', 'prioritized'];
const MAX_WAIT_MS = 300_000;
const NONE: NotificationStats = {
  ...{ accepted: 0, delivered: 0, failed: 0, dropped: 0 },
  ...{ queued: 0, handedOver: 0, inFlight: 0 },
};

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !(await isSo()); await pause(100)) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error(`it did not happen within ${MAX_WAIT_MS} ms: ${what}`);
    }
  }
}

/** A producer and two workers with a queue between them. A row of the crash matrix breaks its parts. */
export class QueueFleet {
  readonly settings: FleetSettings;
  /** The server that the processes use. */
  redis: RedisServer;
  readonly #relays: { readonly producer: Relay; readonly worker: Relay };
  readonly #firstRedis: RedisServer;
  readonly #servers: RedisServer[];
  readonly #children = new Set<ChildProcess>();
  readonly workers: ChildProcess[] = [];
  #producer: ChildProcess | undefined;
  readonly #takenFile: string;
  #stats = NONE;
  #isDone = false;
  #wasProducerKilled = false;
  #wasWorkerKilled = false;

  constructor(settings: FleetSettings, redis: RedisServer, producer: Relay, worker: Relay) {
    this.settings = settings;
    this.redis = redis;
    this.#firstRedis = redis;
    this.#relays = { producer, worker };
    this.#servers = [redis];
    this.#takenFile = join(settings.library, `taken-${redis.port}.txt`);
    writeFileSync(this.#takenFile, '');
  }

  /** Starts everything. */
  static async start(settings: FleetSettings): Promise<QueueFleet> {
    const redis = await startRedis(settings.redis);
    const { port } = redis;
    const fleet = new QueueFleet(settings, redis, await startRelay(port), await startRelay(port));
    try {
      await fleet.startWorker();
      await fleet.startWorker();
      fleet.#producer = await fleet.#start('producer', {}, (message) => fleet.#hear(message));
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  get edge(): TargetEdge {
    return this.settings.edge;
  }

  /** Resolves when the queue has taken a share of all notifications. */
  async took(share: number): Promise<void> {
    await until(
      `the queue took ${share} of all`,
      () => this.#taken().ids.size >= share * this.settings.count,
    );
  }

  async startWorker(settings: object = {}): Promise<void> {
    this.workers.push(await this.#start('worker', settings, () => undefined));
  }

  async killWorker(): Promise<void> {
    this.#wasWorkerKilled = true;
    await this.#kill(this.workers.shift());
  }

  async killProducer(): Promise<void> {
    this.#wasProducerKilled = true;
    await this.#kill(this.#producer);
    this.#isDone = true;
  }

  /** Starts a server with the files of the one that was killed. */
  async restartRedis(): Promise<void> {
    const { port, ended } = this.redis;
    await ended;
    const { folder } = this.#firstRedis;
    this.redis = await startRedis([...this.settings.redis, '--port', String(port), '--dir', folder]);
    this.#servers.push(this.redis);
  }

  /** Lets the processes use another server. */
  use(redis: RedisServer): void {
    this.redis = redis;
    this.#servers.push(redis);
    for (const relay of Object.values(this.#relays)) {
      relay.moveTo(redis.port);
    }
  }

  /** Delays what the producer and the server say to each other. */
  delayProducer(ms: number): void {
    this.#relays.producer.delay(ms);
  }

  /** Resolves when the producer has handed everything over. */
  async produced(): Promise<void> {
    await until('the producer hands everything over', () => this.#isDone);
  }

  /** Resolves when the producer has ended its work and no job is left. */
  async drained(): Promise<void> {
    await this.produced();
    await until('no job is left', async () => (await this.jobs()).length === 0);
  }

  /** The jobs that BullMQ has. */
  async jobs(): Promise<Job[]> {
    return this.withQueue(async (queue) => (await queue.getJobs(STATES)).filter((job) => job !== undefined));
  }

  async withQueue<Value>(use: (queue: Queue) => Promise<Value>): Promise<Value> {
    const load = createRequire(join(this.settings.library, 'package.json'));
    const { Queue } = load('bullmq') as { Queue: new (name: string, options: object) => Queue };
    const queue = new Queue(NAME, { connection: { host: '127.0.0.1', port: this.redis.port } });
    queue.on('error', () => undefined);
    try {
      return await use(queue);
    } finally {
      await queue.close();
    }
  }

  /** The ids of the notifications that arrived at the edge and were confirmed, as often as they were. */
  arrived(): string[] {
    return this.edge.requests.flatMap(({ delivery, status }) =>
      status === 200 ? (delivery?.notifications ?? []).map(({ id }) => id) : [],
    );
  }

  /** Checks the law of the producer, and returns what has become of the notifications. */
  async result(): Promise<Result> {
    const held = (await this.jobs()).flatMap(({ data }) => idsIn(data));
    const arrived = this.arrived();
    const unique = new Set([...arrived, ...held]);
    const taken = this.#taken();
    const { accepted, delivered, failed, dropped, queued } = this.#stats;
    const handedOver = this.#wasProducerKilled ? taken.ids.size : this.#stats.handedOver;
    if (!this.#wasProducerKilled && accepted !== delivered + failed + dropped + queued + handedOver) {
      throw new Error(`the law of the producer is broken: ${JSON.stringify(this.#stats)}`);
    }
    const workers = await Promise.all(this.workers.map(countsOf));
    const sum = (of: (counts: WorkerCounts) => number) =>
      workers.reduce((total, counts) => total + of(counts), 0);
    // A worker that was killed cannot tell its counts any more. The edge knows them too.
    const relayed = this.#wasWorkerKilled
      ? arrived.length - delivered
      : sum(({ relayed: { delivered: done } }) => done);
    return {
      lost: [...taken.ids].filter((id) => !unique.has(id)).length,
      doubled: arrived.length + held.length - unique.size,
      unconfirmed: this.#wasProducerKilled ? [...unique].filter((id) => !taken.ids.has(id)).length : 0,
      held: held.length,
      ...{ relayed, handedOver, direct: delivered },
      repeatedPushes: taken.repeated,
      stalled: sum(({ stalled }) => stalled),
      again: sum(({ again }) => again),
    };
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => this.#kill(child)));
    for (const relay of Object.values(this.#relays)) {
      relay.close();
    }
    for (const server of this.#servers.reverse()) {
      await server.stop();
    }
  }

  #hear({ stats, isDone }: Message): void {
    this.#stats = stats ?? this.#stats;
    this.#isDone ||= isDone === true;
  }

  async #start(
    role: 'producer' | 'worker',
    more: object,
    onMessage: (message: Message) => void,
  ): Promise<ChildProcess> {
    const { projects, library, edge, count, jobOptions, lockMs } = this.settings;
    const settings = {
      ...{ name: NAME, port: this.#relays[role].port, config: edge.config, artifact: flagsArtifact() },
      ...{ count, rate: RATE, prefix: 'v', takenFile: this.#takenFile, jobOptions, lockMs, ...more },
    };
    const child = fork(PROCESS, [role, projects, library, JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.add(child);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: Message) => (message.ready ? resolve() : onMessage(message)));
      child.once('exit', () => reject(new Error(`the ${role} ended`)));
    });
    return child;
  }

  async #kill(child: ChildProcess | undefined): Promise<void> {
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Reads the ids of the notifications that the queue has confirmed, and counts the batches that were pushed again. */
  #taken(): { readonly ids: ReadonlySet<string>; readonly repeated: number } {
    const lines = readFileSync(this.#takenFile, 'utf8').split('\n').slice(0, -1);
    const listed = (word: string) =>
      lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length));
    const pushed = listed('pushed ');
    const ids = new Set(listed('taken ').flatMap((line) => line.split(',')));
    return { ids, repeated: pushed.length - new Set(pushed).size };
  }
}

async function countsOf(worker: ChildProcess): Promise<WorkerCounts> {
  const answered = once(worker, 'message');
  worker.send('counts');
  return (await answered)[0] as WorkerCounts;
}

/** Returns the ids of the notifications in the data of a job. */
function idsIn({ v, d, z }: Job['data']): string[] {
  if (v !== 1) {
    return [];
  }
  const text = z === undefined ? d : brotliDecompressSync(Buffer.from(z, 'base64')).toString();
  const list = JSON.parse(text ?? '[]') as string[];
  return list.flatMap(idsOf);
}
