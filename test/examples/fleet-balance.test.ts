import { describe, expect, test } from '@jest/globals';
import { type Figures, Judge, toLaws, type WebFigures } from '../../examples/fleet/balance.js';
import { Changes } from '../../examples/fleet/changes.js';
import { Ledger } from '../../examples/fleet/ledger.js';

const NOTHING = { accepted: 0, delivered: 0, failed: 0, dropped: 0, queued: 0, handedOver: 0, inFlight: 0 };

function web(counts: Partial<WebFigures['counts']>): WebFigures {
  return { counts: { ...NOTHING, ...counts }, isRunning: true, arrived: 0 };
}

/** A process that was killed. The edge has `arrived` of its impressions. */
function killed(counts: Partial<WebFigures['counts']>, arrived: number): WebFigures {
  return { ...web(counts), isRunning: false, arrived };
}

function lawsOf(rest: Partial<Figures>) {
  const edge = { received: 0, distinct: 0 };
  const nothing = { web: [], relayed: relayed(0), isWorkerKilled: false, held: 0 };
  return toLaws({ ...nothing, edge, ...rest });
}

const offOf = (given: Partial<Figures>) => lawsOf(given).map(({ off }) => off);

const relayed = (delivered: number, failed = 0) => ({ delivered, failed });
const atEdge = (distinct: number, twice = 0) => ({ received: distinct + twice, distinct });
/** One of them had been pushed when the process was killed, and nobody had told it so. */
const VICTIM = { accepted: 10, delivered: 6, queued: 3, handedOver: 1 };
/** Ten impressions are in the queue, or were. A worker that sent some of them was killed. */
const KILLED_WORKER = { web: [web({ accepted: 10, handedOver: 10 })], isWorkerKilled: true };

describe('the sums of the fleet agree', () => {
  test.each<[string, Partial<Figures>]>([
    ['before anything happens', {}],
    [
      'while impressions wait everywhere',
      {
        web: [web({ accepted: 10, delivered: 4, queued: 1, handedOver: 5 })],
        relayed: relayed(3),
        held: 2,
        edge: atEdge(7),
      },
    ],
    [
      'when the sender of an impression waits for the answer of the edge',
      { web: [web({ accepted: 2, delivered: 1, queued: 1 })], edge: atEdge(2) },
    ],
    [
      'when the worker has sent an impression twice',
      { web: [web({ accepted: 2, handedOver: 2 })], relayed: relayed(3), edge: atEdge(2, 1) },
    ],
    [
      'when the queue holds one that the process has sent itself, because nobody confirmed the push',
      { web: [web({ accepted: 2, delivered: 2 })], held: 1, edge: atEdge(2) },
    ],
    [
      'when the worker has sent that one too',
      { web: [web({ accepted: 2, delivered: 2 })], relayed: relayed(1), edge: atEdge(2, 1) },
    ],
    [
      'when an impression came twice because its first answer was lost',
      { web: [web({ accepted: 2, delivered: 2 })], edge: atEdge(2, 1) },
    ],
    [
      'when impressions were refused',
      {
        web: [web({ accepted: 4, failed: 1, dropped: 1, handedOver: 2 })],
        relayed: relayed(1, 1),
        edge: atEdge(1),
      },
    ],
    [
      'when a process was killed with three impressions in its memory',
      { web: [killed(VICTIM, 7)], relayed: relayed(1), edge: atEdge(7) },
    ],
    [
      'when the edge has an impression whose answer came too late for a process',
      { web: [killed(VICTIM, 8)], relayed: relayed(1), edge: atEdge(8) },
    ],
    [
      'when the queue holds an impression whose confirmation came too late for a process',
      { web: [killed(VICTIM, 7)], relayed: relayed(1), held: 1, edge: atEdge(7) },
    ],
    ['when the worker has sent that one', { web: [killed(VICTIM, 8)], relayed: relayed(2), edge: atEdge(8) }],
    [
      'when a worker was killed before it could report three of the impressions that it has sent',
      { ...KILLED_WORKER, relayed: relayed(5), held: 2, edge: atEdge(8) },
    ],
    [
      'when the next worker has sent the rest, and a part of it for the second time',
      { ...KILLED_WORKER, relayed: relayed(7), edge: atEdge(10, 2) },
    ],
    [
      'when a process has sent impressions itself meanwhile, and waits for the answer to one',
      {
        ...KILLED_WORKER,
        web: [web({ accepted: 14, delivered: 3, queued: 1, handedOver: 10 })],
        relayed: relayed(5),
        held: 2,
        edge: atEdge(12),
      },
    ],
  ])('%s', (_, given) => {
    expect(offOf(given)).toEqual([0, 0, 0]);
  });

  test('and tell how many were lost', () => {
    const [, , law] = lawsOf({ web: [killed(VICTIM, 8)], relayed: relayed(1), edge: atEdge(8) });
    expect(law?.right).toContainEqual({ label: 'lost with killed processes', count: 2 });
  });

  test('and tell how many a killed worker has sent and not reported', () => {
    const [, law] = lawsOf({ ...KILLED_WORKER, relayed: relayed(5), held: 2, edge: atEdge(8) });
    const label = 'relayed by a killed worker, unreported';
    expect(law?.right).toContainEqual({ label, count: 3 });
    const [, calm] = lawsOf({ ...KILLED_WORKER, relayed: relayed(8), held: 2, edge: atEdge(8) });
    expect(calm?.right.map((term) => term.label)).not.toContain(label);
  });
});

describe('the sums of the fleet differ', () => {
  test.each<[string, Partial<Figures>, number[]]>([
    [
      'when a process has lost track of an impression',
      { web: [web({ accepted: 2, delivered: 1 })], edge: atEdge(1) },
      [-1, 0, -1],
    ],
    [
      'when two processes are wrong by as much, in opposite directions',
      { web: [web({ accepted: 2, delivered: 1 }), web({ accepted: 1, delivered: 2 })], edge: atEdge(3) },
      [1, 0, 0],
    ],
    ['when the queue has lost an impression', { web: [web({ accepted: 1, handedOver: 1 })] }, [0, -1, -1]],
    [
      'when the worker has sent one that nobody has given',
      { relayed: relayed(1), edge: atEdge(1) },
      [0, 1, 1],
    ],
    [
      'when the queue has lost impressions, after a worker was killed with nothing unreported',
      { ...KILLED_WORKER, relayed: relayed(5), held: 2, edge: atEdge(5) },
      [0, -3, -3],
    ],
    [
      'when the queue has lost two, and a killed worker has sent one that it did not report',
      { ...KILLED_WORKER, relayed: relayed(5), held: 2, edge: atEdge(6) },
      [0, -2, -2],
    ],
    [
      'when nobody has reported impressions that the edge has, and no worker was killed',
      { ...KILLED_WORKER, isWorkerKilled: false, relayed: relayed(5), held: 2, edge: atEdge(8) },
      [0, -3, 0],
    ],
    ['when the edge lacks one that was confirmed', { web: [web({ accepted: 1, delivered: 1 })] }, [0, 0, -1]],
  ])('%s', (_, given, off) => {
    expect(offOf(given)).toEqual(off);
  });

  test('as long as impressions move, or as Redis is away; a difference that stays is wrong', () => {
    const judge = new Judge();
    const one = lawsOf({ relayed: relayed(1) });
    expect(judge.judge(one, { isCounted: true, atMs: 0 })).toBe('moving');
    expect(judge.judge(lawsOf({ relayed: relayed(2) }), { isCounted: true, atMs: 9_000 })).toBe('moving');
    expect(judge.judge(lawsOf({ relayed: relayed(2) }), { isCounted: false, atMs: 20_000 })).toBe(
      'uncounted',
    );
    expect(judge.judge(lawsOf({ relayed: relayed(2) }), { isCounted: true, atMs: 20_000 })).toBe('wrong');
    expect(judge.judge(lawsOf({}), { isCounted: true, atMs: 20_001 })).toBe('exact');
  });
});

test('the edge counts each page once, by the process that showed it', () => {
  const ledger = new Ledger();
  ledger.ask(1, 7);
  ledger.ask(2, 8);
  for (const page of [1, 1, 2, 3]) {
    ledger.arrive(page);
  }
  expect([ledger.received, ledger.distinct, ledger.arrivedOf(7), ledger.arrivedOf(8)]).toEqual([4, 2, 1, 1]);
});

test('the time line has the first moment of each process, and the spread of the last changes', () => {
  const changes = new Changes();
  for (const [process, atMs] of [
    ['a', 20],
    ['b', 25],
    ['a', 99],
  ] as const) {
    changes.add(process, { id: 'x', release: 2, atMs });
  }
  expect(changes.all).toEqual([{ id: 'x', release: 2, moments: { a: 20, b: 25 }, spreadMs: 5 }]);
  for (let release = 3; release < 10; release += 1) {
    changes.add('a', { id: String(release), release, atMs: 100 * release });
  }
  expect(changes.all.map(({ release }) => release)).toEqual([9, 8, 7, 6, 5]);
});
