import type { NotificationStats, RelayedStats } from 'target-node-sdk';
import { type Law, lostWith, toLaws, type Verdict, type WebFigures } from './balance.js';
import type { Change } from './changes.js';
import type { Edge } from './edge.js';
import type { Ledger } from './ledger.js';
import { isRunning, type Member } from './members.js';
import type { Mode } from './settings.js';
import type { Visitor } from './visitors.js';

/** All that the page shows, as it was at one moment. */
export interface State {
  readonly atMs: number;
  readonly mode: Mode;
  readonly release: number;
  readonly redis: boolean;
  readonly edge: boolean;
  readonly web: readonly Row[];
  readonly worker: { readonly state: Member['state']; readonly pid: number; readonly relayed: RelayedStats };
  readonly arrivals: { readonly received: number; readonly distinct: number };
  readonly held: number;
  readonly changes: readonly Change[];
  readonly visitors: {
    readonly isPaused: boolean;
    readonly unanswered: number;
    readonly all: readonly Visitor[];
  };
  readonly laws: readonly Law[];
  readonly verdict: Verdict;
}

/** A web process, or all processes of the same name that have ended. */
export interface Row {
  readonly name: string;
  readonly state: Member['state'];
  readonly pid?: number;
  readonly rules?: Rules;
  readonly store?: 'ok' | 'failing' | undefined;
  readonly counts: NotificationStats;
  /** Impressions that were lost with the process. */
  readonly lost: number;
  /** True when the row stands for processes that other processes have replaced. */
  readonly isPast: boolean;
  /** The processes that the row stands for. */
  readonly processes: number;
}

interface Rules {
  readonly id?: string | undefined;
  readonly release?: number | undefined;
  readonly pendingId?: string | undefined;
  readonly activatesInMs?: number | undefined;
}

const FIELDS = ['accepted', 'delivered', 'failed', 'dropped', 'queued', 'handedOver', 'inFlight'] as const;
const NOTHING: NotificationStats = {
  ...{ accepted: 0, delivered: 0, failed: 0, dropped: 0, queued: 0, handedOver: 0, inFlight: 0 },
};

/** The part of the state that comes from the processes. */
export function toRows(members: readonly Member[], ledger: Ledger, edge: Edge) {
  const web = members.filter(({ kind }) => kind === 'web');
  const names = [...new Set(web.map(({ name }) => name))];
  const worker = members.findLast(({ kind }) => kind === 'worker');
  return {
    web: [
      ...names.flatMap((name) => {
        const last = web.findLast((member) => member.name === name);
        return last ? [toRow([last], { ledger, edge, isPast: false })] : [];
      }),
      ...names.flatMap((name) => {
        const before = web.filter((member) => member.name === name).slice(0, -1);
        return before.length > 0 ? [toRow(before, { ledger, edge, isPast: true })] : [];
      }),
    ],
    worker: {
      state: worker?.state ?? 'starting',
      pid: worker?.child.pid ?? 0,
      relayed: relayedBy(members),
    },
  };
}

/** The sums of a moment, which have to be equal. */
export function toBalance(members: readonly Member[], ledger: Ledger, held: number): readonly Law[] {
  return toLaws({
    web: members.filter(({ kind }) => kind === 'web').map((member) => toWebFigures(member, ledger)),
    relayed: relayedBy(members),
    isWorkerKilled: members.some(({ kind, state }) => kind === 'worker' && state === 'killed'),
    held,
    edge: { received: ledger.received, distinct: ledger.distinct },
  });
}

function toRow(
  members: readonly Member[],
  { ledger, edge, isPast }: { ledger: Ledger; edge: Edge; isPast: boolean },
): Row {
  const [one] = members;
  const counts = Object.fromEntries(
    FIELDS.map((field) => [
      field,
      members.reduce((sum, { report }) => sum + (report?.notifications[field] ?? 0), 0),
    ]),
  );
  const artifact = one?.report?.artifact;
  return {
    name: one?.name ?? '',
    state: one?.state ?? 'ended',
    isPast,
    processes: members.length,
    counts: { ...NOTHING, ...counts },
    lost: members.reduce((sum, member) => sum + lostWith(toWebFigures(member, ledger)), 0),
    ...(one && isRunning(one) && { pid: one.child.pid ?? 0, store: one.report?.store }),
    ...(one && isRunning(one) && artifact && { rules: toRules(artifact, edge) }),
  };
}

function toRules(artifact: NonNullable<NonNullable<Member['report']>['artifact']>, edge: Edge): Rules {
  const { id, generatedAt, pendingId, activatesInMs } = artifact;
  return { id, release: edge.releaseOf(generatedAt), pendingId, activatesInMs };
}

function toWebFigures(member: Member, ledger: Ledger): WebFigures {
  return {
    counts: member.report?.notifications ?? NOTHING,
    isRunning: isRunning(member),
    arrived: ledger.arrivedOf(member.number),
  };
}

function relayedBy(members: readonly Member[]): RelayedStats {
  const sum = (field: keyof RelayedStats) =>
    members.reduce((total, { report }) => total + (report?.relayed[field] ?? 0), 0);
  return { delivered: sum('delivered'), failed: sum('failed') };
}
