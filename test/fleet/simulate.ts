/**
 * Prints how a fleet scales, by formulae and by a fleet that is played: `npx tsx test/fleet/simulate.ts`. The numbers
 * are the same at each run. The runner of the fleet checks that both agree.
 */
import { ok } from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import type { FleetRun } from './run.js';
import { playAlone, playShared, randomNumbers, type Sizes } from './simulation.js';

const SEED = 18;
const CHANGES = 400;
/** Share by which a played number may differ from its formula. */
const TOLERANCE = 0.12;
/** Microseconds of Redis for one look, measured with Redis 7.0. */
const LOOK_US = 14;
/** Bytes of an artifact of 741 KB in the store, and on the way to it. */
const STORED_BYTES = 490_000;
const ARTIFACT_BYTES = 741_000;
/** Microseconds of Redis for a record that is handed over in a job of B records, measured with BullMQ 6. */
const recordUs = (batch: number) => 190 / batch + 6;

interface Line {
  readonly what: string;
  readonly formula: number;
  /** Absent for a line that needs no playing. */
  readonly played?: number;
  /** Difference that is too small to matter. */
  readonly least?: number;
}

const FLEETS: readonly Sizes[] = [
  { pods: 5, interval: 300, look: 1, delay: 5, cdnLag: 0 },
  { pods: 100, interval: 300, look: 1, delay: 5, cdnLag: 0 },
  { pods: 1000, interval: 300, look: 1, delay: 5, cdnLag: 0 },
  { pods: 1000, interval: 300, look: 1, delay: 5, cdnLag: 120 },
  { pods: 10_000, interval: 300, look: 5, delay: 25, cdnLag: 0 },
];

/**
 * The mean time until a request finds the new version, with requests so far apart. A request finds it on a share of the
 * nodes of the CDN that grows from none to all within the lag.
 */
function detectionOf(between: number, cdnLag: number): number {
  let sum = 0;
  const first = Array.from({ length: 100 }, (_, index) => ((index + 0.5) / 100) * between);
  for (const start of first) {
    let notYet = 1;
    for (let at = start; notYet > 1e-9; at += between) {
      const share = cdnLag === 0 ? 1 : Math.min(1, at / cdnLag);
      sum += at * notYet * share;
      notYet *= 1 - share;
    }
  }
  return sum / first.length;
}

/** The lines of a fleet. N processes, interval I, ticket I / 10, look p, delay A. */
function linesOf(sizes: Sizes): Line[] {
  const { pods, interval, look, delay, cdnLag } = sizes;
  const changes = Math.max(100, Math.min(CHANGES, 200_000 / pods));
  const random = randomNumbers(SEED);
  const alone = playAlone(sizes, changes, random);
  const shared = playShared(sizes, changes, random);
  // The time between two requests: the ticket, and the time until the next process polls.
  const between = interval / 10 + interval / pods;
  const detected = pods <= 10 ? interval / (pods + 1) : detectionOf(between, cdnLag);
  const spanOf = (share: number) => interval * share;
  return [
    { what: 'requests to the CDN per s, alone: N / I', formula: pods / interval, played: alone.requests },
    {
      what: 'the same, shared: 1 / (I / 10 + I / N)',
      formula: 1 / between,
      played: shared.requests,
    },
    { what: 'downloads at a change, alone: N', formula: pods, played: alone.downloads },
    { what: 'the same, shared: 1', formula: 1, played: shared.downloads },
    {
      what: 'time in s until all have a change, alone: I N / (N + 1) (+ lag)',
      formula: spanOf(pods / (pods + 1)) + cdnLag * (cdnLag === 0 ? 0 : 0.95),
      played: alone.last,
    },
    {
      what: 'the same, shared: I / (N + 1) or (I / 10 + I / N) / 2, + A (+ lag)',
      formula: detected + delay,
      played: shared.last,
      least: pods <= 10 ? 10 : 5,
    },
    {
      what: 'time in s with two versions, alone: I (N - 1) / (N + 1)',
      formula: spanOf((pods - 1) / (pods + 1)) + cdnLag * 0.9,
      played: alone.window,
    },
    { what: 'the same, shared: late timers only', formula: 0.01, played: shared.window, least: 0.01 },
    {
      what: 'extra changes that a visitor sees, alone: I / 10 s / 3',
      formula: spanOf((pods - 1) / (pods + 1)) / 10 / 3,
      played: alone.flips,
      least: cdnLag === 0 ? 1.5 : 4,
    },
    { what: 'the same, shared: 0', formula: 0, played: shared.flips, least: 0.05 },
    { what: 'share of a core of Redis for looks: N / p × 14 µs', formula: ((pods / look) * LOOK_US) / 1e6 },
    { what: 'MB from the CDN at a change, alone: N × 0.741', formula: (pods * ARTIFACT_BYTES) / 1e6 },
    { what: 'MB from Redis at a change: N × 0.49', formula: (pods * STORED_BYTES) / 1e6 },
    {
      what: 'Gbit/s for it: N × 0.49 MB / (0.6 A)',
      formula: (pods * STORED_BYTES * 8) / 1e9 / (0.6 * delay),
    },
  ];
}

/** Lines about notifications: N processes with r requests per second, of which a share e owes an impression. */
function reportLines(): Line[] {
  const perSecond = 1000 * 1000 * 0.01;
  return [
    { what: 'POSTs per s, 1 000 processes × 1 000 per s × 0.01: N r e', formula: perSecond },
    { what: 'calls under way per process at 50 ms: r e × RTT', formula: 1000 * 0.01 * 0.05 },
    {
      what: 'share of a core of Redis, 100 per job: N r e × c(B)',
      formula: (perSecond * recordUs(100)) / 1e6,
    },
    { what: 'the same, 5 per job', formula: (perSecond * recordUs(5)) / 1e6 },
    { what: 'GB for an outage of 600 s: N r e × D × 1 KB', formula: (perSecond * 600 * 1000) / 1e9 },
  ];
}

function textOf({ what, formula, played }: Line): string {
  const short = (value: number | undefined) =>
    value === undefined ? '' : `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))}`;
  return `| ${what.padEnd(76)} | ${short(formula).padStart(8)} | ${short(played).padStart(8)} |`;
}

/** Prints the table. Resolves with the lines whose numbers do not agree. */
function printTable(): string[] {
  const wrong: string[] = [];
  for (const sizes of FLEETS) {
    const { pods, interval, look, delay, cdnLag } = sizes;
    console.log(
      `\n${pods} processes, I = ${interval} s, p = ${look} s, A = ${delay} s, lag of the CDN ${cdnLag} s`,
    );
    for (const line of linesOf(sizes)) {
      console.log(textOf(line));
      const { what, formula, played = formula, least = 0 } = line;
      if (!(Math.abs(played - formula) <= Math.max(least, TOLERANCE * formula))) {
        wrong.push(`${pods} processes, lag ${cdnLag}: ${what}: ${formula} and ${played}`);
      }
    }
  }
  console.log('\nnotifications');
  for (const line of reportLines()) {
    console.log(textOf(line));
  }
  return wrong;
}

/** The numbers of the played fleets agree with the formulae. */
export async function checkSimulation({ report }: Pick<FleetRun, 'report'>): Promise<void> {
  const wrong = printTable();
  await report.check('a played fleet agrees with the formulae', () =>
    ok(wrong.length === 0, wrong.join('\n')),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(printTable().join('\n'));
}
