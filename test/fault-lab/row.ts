/**
 * Runs the cells of one row of the matrix in this process, whose second argument is the row's number, and prints a
 * line of JSON for each. The process has to end by itself.
 */
import { TargetClient } from '../../src/index.js';
import { runCell } from './cells.js';
import { excuseOf, FAULTS, type FaultRow, PHASES, type Phase, TARGETS, type Target } from './faults.js';
import { type CellResult, shownBy, Verdict } from './verdict.js';
import { startWorld } from './world.js';

const row = FAULTS[Number(process.argv[2])];
if (!row) {
  throw new Error('no such row');
}

const strays: string[] = [];
process.on('unhandledRejection', (reason) => strays.push(`an unhandled rejection: ${shownBy(reason)}`));
process.on('uncaughtException', (error) => strays.push(`an uncaught exception: ${shownBy(error)}`));
process.on('warning', ({ name, message }) => strays.push(`a warning: ${name}: ${message}`));

async function run(fault: FaultRow, target: Target, phase: Phase): Promise<void> {
  const verdict = new Verdict();
  const started = performance.now();
  const world = await startWorld(fault, target);
  try {
    await runCell({ row: fault, target, phase, world, verdict });
  } catch (error) {
    verdict.fail('e', `the cell broke: ${shownBy(error)}`);
  } finally {
    await world.close();
  }
  const { checked, broken } = verdict;
  const ms = Math.round(performance.now() - started);
  print({ row: fault.name, target, phase, checked, broken, ms });
}

async function warmUp(fault: FaultRow): Promise<void> {
  for (const target of TARGETS) {
    const world = await startWorld(
      { ...fault, play: { by: 'edge', fault: () => ({ kind: 'hang' }) } },
      target,
    );
    const client = TargetClient.create({
      ...world.config,
      decisioningMethod: 'hybrid',
      artifactLocation: world.artifactUrl,
    });
    for (const name of ['hero', 'far']) {
      await client.getOffers({ timeout: 30_000, request: { execute: { mboxes: [{ name }] } } });
    }
    await client.close();
    await world.close();
  }
}

function print(result: CellResult): void {
  console.log(JSON.stringify(result));
}

// The first calls of a process are slow for reasons of their own.
await warmUp(row);
// A clock is one for the whole process: its cells take turns.
const isShared = row.play.by === 'clock' || row.isHeavy === true;
const cells = TARGETS.flatMap((target) => PHASES.map((phase) => ({ target, phase })));
const runs: Promise<void>[] = [];
for (const { target, phase } of cells) {
  if (excuseOf(row, target, phase) !== undefined) {
    continue;
  }
  const running = run(row, target, phase);
  if (isShared) {
    await running;
  }
  runs.push(running);
}
await Promise.all(runs);
// What nobody waits for may still reject.
await new Promise(setImmediate);
console.log(JSON.stringify({ end: true }));
process.on('exit', () => {
  for (const stray of new Set(strays)) {
    console.log(JSON.stringify({ stray }));
  }
});
