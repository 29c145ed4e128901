/** A fleet that is played with random numbers: no clocks and no servers. */

/** The sizes of a fleet. All times are in seconds. */
export interface Sizes {
  /** Number of processes. */
  readonly pods: number;
  /** Time between two polls of the CDN by one process. */
  readonly interval: number;
  /** Time between two looks at the store. */
  readonly look: number;
  /** Activation delay. */
  readonly delay: number;
  /** Time by which nodes of the CDN may lag behind each other. */
  readonly cdnLag: number;
}

/** The outcome of many changes, as means. All times are in seconds. */
export interface Outcome {
  /** Requests to the CDN per second. */
  readonly requests: number;
  /** Whole downloads for one change. */
  readonly downloads: number;
  /** Time from a change until a half of all processes decide by it. */
  readonly half: number;
  /** Time from a change until all processes decide by it. */
  readonly last: number;
  /** Time during which processes decide by two versions. */
  readonly window: number;
  /** Changes between old and new that a visitor sees, beyond the first one. */
  readonly flips: number;
}

/** Time between two requests of a visitor, each of which goes to a random process. */
const VISIT = 10;
const TICKET_SHARE = 0.1;
const SPREAD_SHARE = 0.6;
const READ_SHARE = 0.2;
/** Time for which the timer of a moment may be late. */
const TIMER_LAG = 0.01;

/** Makes numbers from 0 to 1 that are the same at each run. It is the generator named mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Plays changes of a fleet whose processes poll on their own. */
export function playAlone(sizes: Sizes, changes: number, random: () => number): Outcome {
  const { pods, interval, cdnLag } = sizes;
  const played = Array.from({ length: changes }, () => {
    const moments = Array.from({ length: pods }, () => random() * interval + random() * cdnLag);
    return outcomeOf(moments, { requests: pods / interval, downloads: pods }, random);
  });
  return meanOf(played);
}

/** Plays changes of a fleet with a store. One process of all that poll within a tenth of the interval asks the CDN. */
export function playShared(sizes: Sizes, changes: number, random: () => number): Outcome {
  const { pods, interval, look, delay, cdnLag } = sizes;
  const played = Array.from({ length: changes }, () => {
    const changeAt = (1.5 + random()) * interval;
    const polls = Array.from({ length: pods }, () => pollsOf(interval, 4 * interval + cdnLag, random)).flat();
    let ticketUntil = 0;
    const asked = polls
      .sort((a, b) => a - b)
      .filter((at) => {
        const isGranted = at >= ticketUntil;
        ticketUntil = isGranted ? at + interval * TICKET_SHARE : ticketUntil;
        return isGranted;
      });
    const counted = asked.filter((at) => at >= interval && at < 3 * interval).length;
    const found = asked.find((at) => at >= changeAt + random() * cdnLag) ?? 4 * interval;
    const moments = Array.from({ length: pods }, (_, index) => {
      const seen = index === 0 ? 0 : random() * look * 1.1;
      const left = delay - seen;
      const spread = Math.min(delay * SPREAD_SHARE, left - Math.max(delay * READ_SHARE, 2 * look));
      const read = seen + random() * Math.max(0, spread);
      return found - changeAt + Math.max(delay, read) + random() * TIMER_LAG;
    });
    return outcomeOf(moments, { requests: counted / (2 * interval), downloads: 1 }, random);
  });
  return meanOf(played);
}

/** The times at which a process polls. */
function pollsOf(interval: number, end: number, random: () => number): number[] {
  const polls: number[] = [];
  for (let at = random() * interval; at < end; at += interval * (0.9 + 0.2 * random())) {
    polls.push(at);
  }
  return polls;
}

function outcomeOf(
  moments: readonly number[],
  counts: Pick<Outcome, 'requests' | 'downloads'>,
  random: () => number,
): Outcome {
  const sorted = moments.toSorted((a, b) => a - b);
  const [first = 0, half = 0, last = 0] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  let flips = 0;
  let isNew = false;
  for (let at = first - VISIT * random(); at <= last + VISIT; at += VISIT) {
    const decidesByNew = (moments[Math.floor(random() * moments.length)] ?? 0) <= at;
    flips += decidesByNew === isNew ? 0 : 1;
    isNew = decidesByNew;
  }
  return { ...counts, half, last, window: last - first, flips: Math.max(0, flips - 1) };
}

function meanOf(outcomes: readonly Outcome[]): Outcome {
  const mean = (field: keyof Outcome) =>
    outcomes.reduce((sum, outcome) => sum + outcome[field], 0) / outcomes.length;
  const [requests, downloads, half, last, window, flips] = (
    ['requests', 'downloads', 'half', 'last', 'window', 'flips'] as const
  ).map(mean);
  return {
    ...{ requests: requests ?? 0, downloads: downloads ?? 0, half: half ?? 0 },
    ...{ last: last ?? 0, window: window ?? 0, flips: flips ?? 0 },
  };
}
