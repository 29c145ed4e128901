import type { NotificationStats, RelayedStats } from 'target-node-sdk';

/** The figures of one moment. */
export interface Figures {
  readonly web: readonly WebFigures[];
  /** Sent by all workers. */
  readonly relayed: RelayedStats;
  /** True when a worker was killed. What it has sent since its last report is in no report. */
  readonly isWorkerKilled: boolean;
  /** Impressions that the queue holds. */
  readonly held: number;
  /** Impressions that the edge has received, and those of them that it has received for the first time. */
  readonly edge: { readonly received: number; readonly distinct: number };
}

/** The figures of a web process. Those of a process that has ended are its last ones. */
export interface WebFigures {
  readonly counts: NotificationStats;
  readonly isRunning: boolean;
  /** The impressions of the process that the edge has, whoever sent them. */
  readonly arrived: number;
}

/** A number with its meaning. */
export interface Term {
  readonly label: string;
  readonly count: number;
}

/** Two sums that have to be equal. */
export interface Law {
  readonly name: string;
  readonly left: readonly Term[];
  readonly right: readonly Term[];
  /** The right sum minus the left one. */
  readonly off: number;
}

/**
 * Tells how the sums compare: equal, unequal while impressions move, unequal because Redis is away and the queue cannot
 * be counted, or wrong.
 */
export type Verdict = 'exact' | 'moving' | 'uncounted' | 'wrong';

/** A difference that stays the same for this time is none that comes of moving. */
const WRONG_MS = 10_000;

/** Judges the sums of one moment after the other. */
export class Judge {
  #off = '';
  #sinceMs = 0;

  judge(laws: readonly Law[], { isCounted, atMs }: { isCounted: boolean; atMs: number }): Verdict {
    const off = laws.map((law) => law.off).join();
    if (off !== this.#off) {
      this.#off = off;
      this.#sinceMs = atMs;
    }
    if (laws.every((law) => law.off === 0)) {
      return 'exact';
    }
    if (!isCounted) {
      return 'uncounted';
    }
    return atMs - this.#sinceMs < WRONG_MS ? 'moving' : 'wrong';
  }
}

/** The impressions that were lost with a process: its memory held them, and the edge has not got them. */
export function lostWith({ counts, isRunning, arrived }: WebFigures): number {
  return isRunning ? 0 : Math.min(counts.queued, Math.max(0, counts.accepted - arrived));
}

/**
 * Compares what web processes, worker, queue and edge say. They are counted one after the other, so they differ by what
 * moves meanwhile. As soon as nothing moves for a moment, they have to agree.
 */
export function toLaws(figures: Figures): readonly Law[] {
  return [processLaw(figures), queueLaw(figures), edgeLaw(figures)];
}

/** Each web process knows the fate of every impression that it has accepted. */
function processLaw({ web }: Figures): Law {
  const sumOf = (list: readonly WebFigures[], field: keyof NotificationStats) =>
    list.reduce((sum, { counts }) => sum + counts[field], 0);
  const of = (field: keyof NotificationStats) => sumOf(web, field);
  const inKilled = sumOf(
    web.filter(({ isRunning }) => !isRunning),
    'queued',
  );
  const left = [{ label: 'accepted', count: of('accepted') }];
  const right = [
    { label: 'delivered', count: of('delivered') },
    { label: 'failed', count: of('failed') },
    { label: 'dropped', count: of('dropped') },
    { label: 'queued', count: of('queued') - inKilled },
    ...optional('queued when the process was killed', inKilled),
    { label: 'handed over', count: of('handedOver') },
  ];
  const isOff = web.some(({ counts: { accepted, delivered, failed, dropped, queued, handedOver } }) => {
    return accepted !== delivered + failed + dropped + queued + handedOver;
  });
  const law = toLaw('Each process', left, right);
  return isOff && law.off === 0 ? { ...law, off: 1 } : law;
}

/**
 * Counts what the queue has got beyond what was confirmed to web processes. The worker may send impressions twice. And
 * when a process is killed or Redis is stopped during a push, the queue may have taken it, and nobody learns so. A
 * process that goes on sends these impressions again.
 */
function surplusOf({ web, relayed, held, edge }: Figures) {
  const handedOver = web.reduce((sum, { counts }) => sum + counts.handedOver, 0);
  const inKilled = web.reduce((sum, { counts, isRunning }) => sum + (isRunning ? 0 : counts.queued), 0);
  const more = relayed.delivered + relayed.failed + held - handedOver;
  const twice = within(more, edge.received - edge.distinct);
  return { handedOver, twice, unheard: within(more - twice, inKilled + held) };
}

/**
 * Counts what a killed worker has sent since its last report. The queue no longer holds it, and the edge has more
 * impressions than all senders together know of. What the edge has not got either is lost, and not counted here.
 */
function unreportedOf({ web, relayed, isWorkerKilled, held, edge }: Figures): number {
  if (!isWorkerKilled) {
    return 0;
  }
  const sum = (field: 'delivered' | 'handedOver') => web.reduce((all, { counts }) => all + counts[field], 0);
  const missing = sum('handedOver') - relayed.delivered - relayed.failed - held;
  return within(missing, Math.max(0, edge.distinct - sum('delivered') - relayed.delivered));
}

/** The queue gives back all that it was given. */
function queueLaw(figures: Figures): Law {
  const { relayed, held } = figures;
  const { handedOver, twice, unheard } = surplusOf(figures);
  return toLaw(
    'The queue',
    [
      { label: 'handed over', count: handedOver },
      { label: 'relayed twice', count: twice },
      ...optional('taken, still unconfirmed', unheard),
    ],
    [
      { label: 'relayed by the worker', count: relayed.delivered },
      ...optional('relayed and refused', relayed.failed),
      ...optional('relayed by a killed worker, unreported', unreportedOf(figures)),
      { label: 'held by the queue', count: held },
    ],
  );
}

/** The edge gets every impression once, but for those that wait and those that are lost. */
function edgeLaw(figures: Figures): Law {
  const { web, relayed, held, edge } = figures;
  const sum = (pick: (one: WebFigures) => number) => web.reduce((total, one) => total + pick(one), 0);
  const accepted = sum(({ counts }) => counts.accepted);
  const waiting = sum(({ counts, isRunning }) => (isRunning ? counts.queued : 0));
  const lost = sum(lostWith);
  const refused = sum(({ counts }) => counts.failed + counts.dropped) + relayed.failed;
  const confirmed = sum(({ counts }) => counts.delivered) + relayed.delivered;
  // The edge or the queue has these, and the sender waits for the answer, or never got it.
  const unconfirmed = within(
    edge.distinct + waiting + held + lost + refused - accepted,
    Math.max(0, edge.received - confirmed) + surplusOf(figures).unheard,
  );
  return toLaw(
    'The edge',
    [{ label: 'accepted', count: accepted }, ...optional('arrived, still unconfirmed', unconfirmed)],
    [
      { label: 'at the edge', count: edge.distinct },
      { label: 'in the memory of processes', count: waiting },
      { label: 'held by the queue', count: held },
      { label: 'lost with killed processes', count: lost },
      ...optional('refused or dropped', refused),
    ],
  );
}

function toLaw(name: string, left: readonly Term[], right: readonly Term[]): Law {
  const total = (terms: readonly Term[]) => terms.reduce((sum, { count }) => sum + count, 0);
  return { name, left, right, off: total(right) - total(left) };
}

function within(count: number, most: number): number {
  return Math.min(Math.max(0, count), most);
}

function optional(label: string, count: number): Term[] {
  return count === 0 ? [] : [{ label, count }];
}
