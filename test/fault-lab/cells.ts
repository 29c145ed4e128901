import { type DeliveryRequest, TargetClient, type TargetClientConfig, TargetError } from '../../src/index.js';
import { checkBreaker, REOPENING_MS } from './breaker.js';
import type { FaultRow, Phase, Target } from './faults.js';
import { becomes, pause, shownBy, timed, type Verdict } from './verdict.js';
import { releaseOf, type World } from './world.js';

/** One cell while it runs. */
interface Cell {
  readonly row: FaultRow;
  readonly target: Target;
  readonly phase: Phase;
  readonly world: World;
  readonly verdict: Verdict;
  /** What the events and the log of the client said, newest last. */
  readonly heard: Heard;
}

interface Heard {
  readonly errors: unknown[];
  readonly lines: string[];
}

/** Long enough for a busy machine to read what is too long. */
const HEAVY_CALL_MS = 15_000;
/** Long enough for a busy machine to try as often as it may: what is told is the fault then, and not the deadline. */
const CALL_MS = 5000;
const CLOSE_MS = 400;
/** The longest pause between two tries, and the longest try. */
const RECOVERY_MS = 75_000;
const POLL_MS = 250;
const NOT_READY_MS = 300;
const MAX_REQUESTS_PER_MINUTE = 8;
const MAX_ATTEMPTS = 3;

/** Runs one cell to its end, the client's too. */
export async function runCell(cell: Omit<Cell, 'heard'>): Promise<void> {
  const heard = { errors: [], lines: [] };
  await CELLS[cell.target]({ ...cell, heard });
  const strayed = cell.world.strayed();
  if (cell.row.play.by === 'edge' && cell.row.name.startsWith('redirect')) {
    cell.verdict.check('b', strayed === 0, () => `${strayed} requests went to another host`);
  }
}

const CELLS: Readonly<Record<Target, (cell: Cell) => Promise<void>>> = {
  artifact: runArtifact,
  delivery: runDelivery,
  geo: runGeo,
  notifications: runNotifications,
};

function callMsOf({ row }: Cell): number {
  return row.isHeavy ? HEAVY_CALL_MS : CALL_MS;
}

function isQuiet({ row }: Cell): boolean {
  return row.play.by === 'clock';
}

function start({ world, heard, row }: Cell, config: Partial<TargetClientConfig>): TargetClient {
  const log = (line: unknown) => void heard.lines.push(String(line));
  const logger = { debug: () => undefined, info: () => undefined, warn: log, error: log };
  const client = TargetClient.create({
    timeout: row.isHeavy ? HEAVY_CALL_MS : CALL_MS,
    logger,
    ...world.config,
    ...config,
  });
  const keep = ({ error }: { readonly error?: unknown }) => {
    if (error !== undefined) {
      heard.errors.push(error);
    }
  };
  client.on('artifactDownloadFailed', keep).on('geoLocationUpdated', keep).on('sendNotificationError', keep);
  if (row.play.by === 'caller') {
    client.on('clientReady', () => undefined);
  }
  return client;
}

const asks = (name: string): DeliveryRequest => ({
  id: { tntId: 'visitor.35_0' },
  prefetch: { mboxes: [{ name }] },
});

/** What an mbox shows, decided as the client is set up to. */
async function shown(client: TargetClient, request: DeliveryRequest): Promise<unknown> {
  const { response } = await client.getOffers({ request });
  const mboxes = response.execute?.mboxes ?? response.prefetch?.mboxes;
  return mboxes?.[0]?.options?.[0]?.content;
}

function isNamed({ row, target }: Cell, error: unknown): boolean {
  return (row.showsBy?.[target] ?? row.shows).test(shownBy(error));
}

/** (f): whether one of the errors, or a line of the log, names the fault. */
function checkNamed(cell: Cell, errors: readonly unknown[]): void {
  const { verdict, heard } = cell;
  const isTold =
    errors.some((error) => isNamed(cell, error)) || heard.lines.some((line) => isNamed(cell, line));
  const seen = errors.length === 0 ? 'nothing' : [...new Set(errors.map(shownBy))].slice(0, 3).join(' // ');
  verdict.check('f', isTold, () => `not named; heard ${seen}`);
}

/** (e): the client ends in time, with the fault still on. */
async function checkClose({ verdict }: Cell, client: TargetClient) {
  const closed = await timed(() => client.close({ timeout: CLOSE_MS }));
  verdict.within('e', CLOSE_MS, { ms: closed.ms, what: 'close()' });
  verdict.check('e', closed.error === undefined, () => `close() rejected with ${shownBy(closed.error)}`);
  return closed.result;
}

/** (c): decides over and over, and notes the first that is not what it was. Ends when it is told to. */
function keepDeciding(cell: Cell, client: TargetClient, mbox: string, wanted: readonly unknown[]) {
  let isOver = false;
  const ended = (async () => {
    while (!isOver) {
      const { result, error, ms } = await timed(() => shown(client, asks(mbox)));
      const isKept = error === undefined && wanted.includes(result);
      cell.verdict.check('c', isKept, () => `${mbox} was ${error ? shownBy(error) : JSON.stringify(result)}`);
      cell.verdict.within('a', callMsOf(cell), { ms, what: 'a decision' });
      await pause(20);
    }
  })();
  return async () => {
    isOver = true;
    await ended;
  };
}

async function runArtifact(cell: Cell): Promise<void> {
  const { world, verdict, phase, row } = cell;
  const isCold = phase === 'cold';
  if (isCold) {
    await world.strike();
  }
  const client = start(cell, {
    decisioningMethod: 'on-device',
    artifactLocation: world.artifactUrl,
    pollingInterval: POLL_MS,
  });
  if (!isCold || isQuiet(cell)) {
    const ready = await timed(() => client.ready({ timeout: 10_000 }));
    if (ready.error) {
      return verdict.fail('d', `never ready: ${shownBy(ready.error)}`);
    }
  } else {
    await checkNotReady(cell, client);
  }
  if (phase === 'mid-life') {
    await pause(3 * POLL_MS);
  }
  const strikes = phase === 'mid-life' ? 2 : 1;
  for (let strike = 1; strike <= strikes; strike += 1) {
    await strikeArtifact(cell, client, strike);
  }
  if (row.name.startsWith('older')) {
    await world.strike();
    const refreshed = await timed(() => client.refresh());
    verdict.check(
      'd',
      refreshed.error === undefined,
      () => `refresh() was refused ${shownBy(refreshed.error)}`,
    );
  }
  world.publish(99);
  await world.strike();
  const refresh = timed(() => client.refresh());
  await pause(20);
  await checkClose(cell, client);
  verdict.within('e', CLOSE_MS, { ms: (await refresh).ms, what: 'refresh() under way at close()' });
}

async function checkNotReady(cell: Cell, client: TargetClient): Promise<void> {
  const { verdict } = cell;
  const ready = await timed(() => client.ready({ timeout: NOT_READY_MS }));
  verdict.within('a', NOT_READY_MS, { ms: ready.ms, what: 'ready()' });
  verdict.check('a', ready.error instanceof TargetError, () => `ready() ended with ${shownBy(ready.error)}`);
  const decision = await timed(() => shown(client, asks('hero')));
  verdict.within('a', callMsOf(cell), { ms: decision.ms, what: 'a decision' });
  const { code } = (decision.error ?? {}) as Partial<TargetError>;
  verdict.check('a', code === 'ERR_TARGET_NOT_READY', () => `a decision was ${shownBy(decision.error)}`);
}

async function strikeArtifact(cell: Cell, client: TargetClient, strike: number): Promise<void> {
  const { world, verdict, heard, phase, row } = cell;
  const isCold = phase === 'cold' && !isQuiet(cell);
  const [before, next] = isCold ? [undefined, 1] : [`release ${strike}`, strike + 1];
  const after = `release ${next}`;
  const stop = before && keepDeciding(cell, client, 'hero', isQuiet(cell) ? [before, after] : [before]);
  if (phase !== 'cold') {
    heard.errors.length = 0;
  }
  heard.lines.length = 0;
  world.prepare(next);
  const struck = performance.now() - (isCold ? NOT_READY_MS : 0);
  const elapsedMs = () => performance.now() - struck;
  if (!isCold) {
    world.takeCount();
  }
  await world.strike();
  const told = () => heard.errors.length + heard.lines.filter((line) => isNamed(cell, line)).length > 0;
  // Downloads come one at a time: the one that was under way has ended when the next is seen, or has failed.
  let count = 0;
  const isSeen = () => {
    count += world.takeCount();
    return count > 0 || told();
  };
  await (isQuiet(cell) ? pause(100) : becomes(isSeen, 10_000));
  world.publish(next);
  if (isQuiet(cell)) {
    await pause(1000);
  } else {
    await becomes(told, 35_000);
    const lastsMs = phase === 'mid-life' ? 0 : (row.lastsMs ?? 0);
    await pause(Math.max(700, lastsMs - elapsedMs()));
    checkNamed(cell, heard.errors);
  }
  const minutes = Math.max(1, Math.round(elapsedMs() / 60_000));
  // Reading a file is no request; each time that it failed is told.
  count = row.play.by === 'file' ? heard.errors.length : count + world.takeCount();
  const bound = minutes * MAX_REQUESTS_PER_MINUTE * (row.requestsPerTry ?? 1);
  if (!isQuiet(cell) && !row.name.startsWith('older')) {
    verdict.check('b', count <= bound, () => `${count} requests, ${bound} were allowed`);
  }
  if (stop) {
    await stop();
  }
  await world.heal();
  const isBack = await becomes(async () => {
    const { result } = await timed(() => shown(client, asks('hero')));
    return result === after;
  }, RECOVERY_MS);
  verdict.check('d', isBack, () => `${after} did not come within ${RECOVERY_MS} ms`);
}

async function runDelivery(cell: Cell): Promise<void> {
  const { world, verdict, phase } = cell;
  if (phase === 'cold') {
    await world.strike();
  }
  const client = start(cell, {
    decisioningMethod: 'hybrid',
    artifactPayload: releaseOf(1),
    pollingInterval: 0,
  });
  for (let call = phase === 'cold' ? 0 : phase === 'warm' ? 1 : 3; call > 0; call -= 1) {
    const { result, error } = await timed(() => shown(client, asks('far')));
    verdict.check('d', result === 'far away', () => `good order was ${error ? shownBy(error) : result}`);
  }
  const strikes = phase === 'mid-life' ? 2 : 1;
  for (let strike = 1; strike <= strikes; strike += 1) {
    await strikeDelivery(cell, client);
    await world.heal();
    let last: unknown;
    const isBack = await becomes(async () => {
      const { result, error } = await timed(() => shown(client, asks('far')));
      last = error ?? result;
      return result === 'far away';
    }, REOPENING_MS);
    verdict.check('d', isBack, () => `afterwards: ${shownBy(last)}`);
  }
  await world.strike();
  const underWay = timed(() => shown(client, asks('far')));
  await checkClose(cell, client);
  verdict.within('a', callMsOf(cell), { ms: (await underWay).ms, what: 'a call under way at close()' });
}

async function strikeDelivery(cell: Cell, client: TargetClient): Promise<void> {
  const { world, verdict, row, phase } = cell;
  const underWay = phase === 'mid-life' ? [1, 2, 3].map(() => timed(() => shown(client, asks('far')))) : [];
  await world.strike();
  const stop = keepDeciding(cell, client, 'hero', ['release 1']);
  for (const { ms } of await Promise.all(underWay)) {
    verdict.within('a', callMsOf(cell), { ms, what: 'a call under way' });
  }
  world.takeCount();
  const calls = 2;
  for (let call = 0; call < calls; call += 1) {
    const { result, error, ms } = await timed(() => shown(client, asks('far')));
    verdict.within('a', callMsOf(cell), { ms, what: 'a call' });
    if (isQuiet(cell)) {
      verdict.check('c', result === 'far away', () => `a call was ${shownBy(error ?? result)}`);
    } else {
      verdict.check('f', error instanceof TargetError, () => `no TargetError: ${shownBy(error ?? result)}`);
      checkNamed(cell, [error]);
    }
  }
  // Of all together, for the last request of a call may come when the call is over.
  const count = world.takeCount();
  const bound = calls * MAX_ATTEMPTS * (row.requestsPerTry ?? 1);
  verdict.check('b', count <= bound, () => `${count} requests in ${calls} calls`);
  const call = () => shown(client, asks('far'));
  const errors = await checkBreaker({ row, verdict, client }, call, () => world.takeCount());
  if (!isQuiet(cell)) {
    for (const error of errors) {
      checkNamed(cell, [error]);
    }
  }
  await stop();
}

async function runGeo(cell: Cell): Promise<void> {
  const { world, verdict, phase, heard } = cell;
  if (phase === 'cold') {
    await world.strike();
  }
  const client = start(cell, {
    decisioningMethod: 'on-device',
    artifactPayload: releaseOf(1),
    pollingInterval: 0,
  });
  const from = (ipAddress: string): DeliveryRequest => ({
    ...asks('place'),
    context: { channel: 'web', geo: { ipAddress } },
  });
  const place = (ipAddress: string) => timed(() => shown(client, from(ipAddress)));
  if (phase !== 'cold') {
    const { result } = await place('192.0.2.1');
    verdict.check('d', result === 'in Switzerland', () => `good order was ${String(result)}`);
  }
  const strikes = phase === 'mid-life' ? 2 : 1;
  for (let strike = 1; strike <= strikes; strike += 1) {
    await world.strike();
    heard.errors.length = 0;
    const address = `198.51.100.${strike}`;
    world.takeCount();
    const lost = await place(address);
    verdict.within('a', callMsOf(cell), { ms: lost.ms, what: 'a decision' });
    verdict.check('c', lost.error === undefined, () => `a decision failed: ${shownBy(lost.error)}`);
    const count = world.takeCount();
    const bound = MAX_ATTEMPTS * (cell.row.requestsPerTry ?? 1);
    verdict.check('b', count <= bound, () => `${count} requests an address`);
    if (phase !== 'cold') {
      const { result } = await place('192.0.2.1');
      verdict.check('c', result === 'in Switzerland', () => `a place that was known is ${String(result)}`);
    }
    if (!isQuiet(cell)) {
      checkNamed(cell, heard.errors);
    }
    await world.heal();
    const isBack = await becomes(async () => (await place(address)).result === 'in Switzerland', 10_000);
    verdict.check('d', isBack, () => 'the place of the same address is not found any more');
  }
  await world.strike();
  const underWay = place('203.0.113.1');
  await checkClose(cell, client);
  verdict.within('a', callMsOf(cell), { ms: (await underWay).ms, what: 'a look-up under way at close()' });
}

async function runNotifications(cell: Cell): Promise<void> {
  const { world, verdict, phase, heard } = cell;
  if (phase === 'cold') {
    await world.strike();
  }
  const client = start(cell, {
    decisioningMethod: 'on-device',
    artifactPayload: releaseOf(1),
    pollingInterval: 0,
  });
  let accepted = 0;
  const decide = async () => {
    const decided = await timed(() => shown(client, { execute: { mboxes: [{ name: 'hero' }] } }));
    accepted += 1;
    verdict.within('a', callMsOf(cell), { ms: decided.ms, what: 'a decision' });
    verdict.check('c', decided.result === 'release 1', () => `a decision was ${shownBy(decided.error)}`);
  };
  for (let call = phase === 'cold' ? 0 : phase === 'warm' ? 1 : 3; call > 0; call -= 1) {
    await decide();
    await client.flush({ timeout: 40_000 });
  }
  const strikes = phase === 'mid-life' ? 2 : 1;
  for (let strike = 1; strike <= strikes; strike += 1) {
    await world.strike();
    heard.errors.length = 0;
    world.takeCount();
    // Before the decisions: what they owe is sent and repeated while a busy machine still makes them.
    const struck = performance.now();
    for (let call = 0; call < 3; call += 1) {
      await decide();
    }
    await pause(1500);
    // Eight before the host is paused, or the three that were under way together, and then one a pause.
    const bound = 8 + 3 + Math.ceil((performance.now() - struck) / 750);
    const count = world.takeCount();
    if (!isQuiet(cell)) {
      verdict.check('b', count <= bound, () => `${count} requests, ${bound} were allowed`);
    }
    if (cell.row.isRefusal) {
      checkNamed(cell, heard.errors);
    }
    await world.heal();
    await decide();
    let isFlushed = false;
    void client.flush({ timeout: 60_000 }).then(() => {
      isFlushed = true;
    });
    const flushed = await becomes(() => isFlushed, 40_000);
    verdict.check('d', flushed, () => 'the queue was not empty after 40 s');
    if (!cell.row.isRefusal) {
      verdict.check('d', heard.errors.length === 0, () => `lost behind it: ${shownBy(heard.errors[0])}`);
    }
  }
  await world.strike();
  heard.errors.length = 0;
  world.takeCount();
  await decide();
  // A repetition shows that the first try has met the fault; where it cannot be counted, time does.
  let tries = 0;
  const isRepeated = () => {
    tries += world.takeCount();
    return tries > 1 || heard.errors.length > 0;
  };
  await becomes(isRepeated, (cell.row.isHeavy ? HEAVY_CALL_MS : CALL_MS) + 1000);
  const result = await checkClose(cell, client);
  const { delivered = 0, failed = 0, dropped = 0 } = result ?? {};
  const told = JSON.stringify({ accepted, ...result });
  verdict.check('e', accepted === delivered + failed + dropped, () => `notifications are missing: ${told}`);
  if (!isQuiet(cell)) {
    checkNamed(cell, heard.errors);
  }
  const seen = new Set(
    world.edge.requests.flatMap(({ delivery, status }) =>
      status === 200 ? (delivery?.notifications ?? []).map(({ id }) => id) : [],
    ),
  );
  verdict.check('d', delivered <= seen.size, () => `${told}, but the edge has seen ${seen.size}`);
}
