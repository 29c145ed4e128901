import { type TargetClient, TargetError } from '../../src/index.js';
import type { FaultRow } from './faults.js';
import { shownBy, type Timed, timed, type Verdict } from './verdict.js';

/** The longest wait of a breaker that has opened a few times, and what the fault asked for. */
export const REOPENING_MS = 20_000;
/** With those that the cell made before, enough to open it. */
const CALLS = 4;
const REFUSED_CALLS = 10;
const REFUSED_MS = 20;
const TRY_IS_NEAR_MS = 100;
const TOLD_TO_WAIT = [408, 429];

/**
 * Whether a fault that goes on is met with an open circuit breaker, so that calls cost neither time nor requests; and
 * an edge that blames the caller is not. Resolves with what the calls ended with.
 */
export async function checkBreaker(
  {
    row,
    verdict,
    client,
  }: { readonly row: FaultRow; readonly verdict: Verdict; readonly client: TargetClient },
  call: () => Promise<unknown>,
  takeCount: () => number,
): Promise<unknown[]> {
  // Answers as heavy as these would take the row too long.
  if (row.isHeavy) {
    return [];
  }
  const ended = await oneByOne(CALLS, call);
  const wanted = ended.every(({ error }) => isAnswer(error)) ? 'closed' : 'open';
  const { state } = client.stats().circuitBreaker;
  verdict.check('b', state === wanted, () => `the circuit breaker is ${state}, not ${wanted}`);
  if (wanted === 'closed') {
    return errorsOf(ended);
  }
  takeCount();
  // A busy machine may not get round to all of them before the next try is due.
  const isShut = () => (client.stats().circuitBreaker.hosts[0]?.retryInMs ?? 0) > TRY_IS_NEAR_MS;
  const refused = await oneByOne(REFUSED_CALLS, call, isShut);
  const sent = takeCount();
  verdict.check('b', sent === 0, () => `${sent} requests through an open circuit breaker`);
  for (const { ms, error } of refused) {
    verdict.within('a', REFUSED_MS, { ms, what: 'a call that is refused' });
    const isRefusal = error instanceof TargetError && error.code === 'ERR_TARGET_CIRCUIT_OPEN';
    verdict.check('b', isRefusal, () => `an open circuit breaker, but ${shownBy(error)}`);
  }
  return errorsOf([...ended, ...refused]);
}

async function oneByOne(
  times: number,
  call: () => Promise<unknown>,
  goesOn = () => true,
): Promise<Timed<unknown>[]> {
  const ended: Timed<unknown>[] = [];
  for (let time = 0; time < times && goesOn(); time += 1) {
    ended.push(await timed(call));
  }
  return ended;
}

function errorsOf(ended: readonly Timed<unknown>[]): unknown[] {
  return ended.map(({ error }) => error);
}

/** Nothing went wrong, or nothing but the call itself. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof TargetError)) {
    return error === undefined;
  }
  const { status = 0 } = error;
  return status >= 400 && status < 500 && !TOLD_TO_WAIT.includes(status);
}
