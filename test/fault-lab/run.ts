/**
 * Runs every fault of the matrix against every part of the client, and prints what held. `--write` also brings
 * docs/reliability.md up to date; `--only TEXT` runs the rows and the groups of checks whose name has the text. Without
 * a redis-server, outside CI, the checks with Redis are left out. Ends with `N passed, N failed`.
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { endRun } from '../package/report.js';
import type { CheckResult } from './checks.js';
import { writeDocument } from './document.js';
import { FAULTS } from './faults.js';
import { type CheckGroup, GROUPS } from './groups.js';
import { runGroup, runRow } from './jobs.js';
import { printMatrix, type RowResult } from './matrix.js';
import { hasRedis, installRedis } from './redis.js';
import { buildScripts } from './scripts.js';
import { pause } from './verdict.js';

const JOBS_PER_CORE = 2;
const MS_BETWEEN_STARTS = 1000;
const GROUP_PREFIX = 'checks: ';
const REDIS_JOB = `${GROUP_PREFIX}redis`;

/** Something that is done in a process of its own, beside others. */
interface Job {
  readonly name: string;
  /** Whether it takes a core of its own: no more such jobs run beside each other than there are cores. */
  readonly isHeavy: boolean;
  /** Whether all of it held. */
  run(): Promise<boolean>;
}

function rowJobs(only: string | undefined, results: RowResult[]): Job[] {
  const jobs = FAULTS.map(({ name, isHeavy = false }, index) => ({
    name,
    isHeavy,
    run: async () => {
      const result = await runRow(index);
      results[index] = result;
      return result.broken.length === 0 && result.cells.every(({ broken }) => broken.length === 0);
    },
  }));
  return jobs.filter(({ name }) => only === undefined || name.includes(only));
}

function groupJobs(only: string | undefined, results: CheckResult[][]): Job[] {
  const jobs = (Object.keys(GROUPS) as CheckGroup[]).map((name, index) => ({
    name: `${GROUP_PREFIX}${name}`,
    isHeavy: name !== 'signals',
    run: async () => {
      const result = await runGroup(name);
      results[index] = result;
      return result.every(({ broken }) => broken === undefined);
    },
  }));
  return jobs.filter(({ name }) => only === undefined || name.includes(only));
}

/**
 * Installs what the checks with Redis need, in a folder that it adds. When this machine has no redis-server, they are
 * taken from the jobs.
 */
async function prepareRedis(jobs: Job[], folders: string[]): Promise<void> {
  const at = jobs.findIndex(({ name }) => name === REDIS_JOB);
  if (at < 0) {
    return;
  }
  if (hasRedis() || process.env.CI || isWritten) {
    folders.push(await installRedis());
    return;
  }
  console.error(`left out: ${REDIS_JOB}, because there is no redis-server`);
  jobs.splice(at, 1);
}

/** Rows that wait for minutes and hardly work. */
function isWaiting({ name }: Job): boolean {
  return /hang without|stall|drip|never settles|never ends|ignores|forever/.test(name);
}

/** Runs jobs beside each other, but not so many that they find their deadlines over before they have begun. */
async function runJobs(jobs: readonly Job[]): Promise<void> {
  const queue = jobs.toSorted((a, b) => Number(b.isHeavy) - Number(a.isHeavy));
  let heavyRunning = 0;
  const run = async (job: Job) => {
    const started = performance.now();
    const isHeld = await job.run();
    const seconds = Math.round((performance.now() - started) / 1000);
    console.error(`${isHeld ? 'held  ' : 'BROKEN'} ${job.name} (${seconds} s)`);
  };
  const work = async (): Promise<void> => {
    const at = queue.findIndex(({ isHeavy }) => !isHeavy || heavyRunning < availableParallelism());
    const [job] = at < 0 ? [] : queue.splice(at, 1);
    if (!job) {
      return;
    }
    if (job.isHeavy) {
      heavyRunning += 1;
    }
    await run(job);
    if (job.isHeavy) {
      heavyRunning -= 1;
    }
    return work();
  };
  const waiting = queue.filter(isWaiting).map(async (job, index) => {
    queue.splice(queue.indexOf(job), 1);
    await pause(index * MS_BETWEEN_STARTS);
    return run(job);
  });
  await Promise.all([...waiting, ...Array.from({ length: JOBS_PER_CORE * availableParallelism() }, work)]);
}

const options = process.argv.slice(2);
const only = options.includes('--only') ? options[options.indexOf('--only') + 1] : undefined;
const isWritten = options.includes('--write');
const started = performance.now();
const rowResults: RowResult[] = [];
const groupResults: CheckResult[][] = [];
const groups = groupJobs(options.includes('--checks') ? undefined : only, groupResults);
const folders: string[] = [];
try {
  folders.push(await buildScripts());
  await prepareRedis(groups, folders);
  await runJobs([...groups, ...rowJobs(only, rowResults)]);
} finally {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
}
const rows = rowResults.filter((result) => result !== undefined);
const checks = groupResults.flat();
const tally = printMatrix(rows, checks);
if (isWritten) {
  writeDocument(rows, checks);
}
console.log(`${Math.round((performance.now() - started) / 1000)} s`);
endRun(tally);
