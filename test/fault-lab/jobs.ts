import { type ChildProcess, spawn } from 'node:child_process';
import type { CheckResult } from './checks.js';
import { FAULTS } from './faults.js';
import { type CheckGroup, GROUPS } from './groups.js';
import type { RowResult } from './matrix.js';
import { pathOf, type Script } from './scripts.js';
import type { CellResult } from './verdict.js';

const JOB_MS = 300_000;
const MS_TO_END = 20_000;
/** A process that is told to end has this long to end what it has started. */
const MS_TO_CLEAN_UP = 2000;

/** What a process did besides printing lines. */
interface Ended {
  /** What is wrong with how it ended, if anything. */
  readonly fault: string | undefined;
}

/** Ends a process, also one that does not listen. */
function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), MS_TO_CLEAN_UP).unref();
}

/** Runs a script, and hands on its lines of JSON. After the line `{"end":true}` it has to end by itself, soon. */
function runScript(script: Script, argument: string, take: (line: object) => void): Promise<Ended> {
  const child = spawn(process.execPath, [pathOf(script), argument], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, errors, hasEnded, isHanging] = ['', '', false, false];
  let timer = setTimeout(() => end(child), JOB_MS);
  const takeLine = (line: string) => {
    const json = JSON.parse(line);
    if (!json.end) {
      return take(json);
    }
    hasEnded = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      isHanging = true;
      end(child);
    }, MS_TO_END);
  };
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  child.stdout.on('data', (bytes) => {
    const lines = (text + bytes).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      takeLine(line);
    }
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const how = `${signal ?? code} ${errors.slice(0, 2000)}`;
      if (isHanging) {
        resolve({ fault: `the process did not end within ${MS_TO_END} ms` });
      } else if (!hasEnded) {
        resolve({ fault: `the process ended in the middle: ${how}` });
      } else {
        resolve({ fault: code === 0 ? undefined : `the process ended with ${how}` });
      }
    });
  });
}

/** Runs one row of the matrix. */
export async function runRow(index: number): Promise<RowResult> {
  const cells: CellResult[] = [];
  const broken: string[] = [];
  const { fault } = await runScript('row', String(index), (line) => {
    if ('stray' in line) {
      broken.push(`(e) ${line.stray}`);
    } else {
      cells.push(line as CellResult);
    }
  });
  if (fault !== undefined) {
    broken.push(`(e) ${fault}`);
  }
  return { name: FAULTS[index]?.name ?? '', cells, broken };
}

/** Runs one group of checks. What is missing of it is broken. */
export async function runGroup(group: CheckGroup): Promise<CheckResult[]> {
  const results = new Map<string, CheckResult>();
  const { fault } = await runScript('check', group, (line) => {
    const result = line as CheckResult;
    results.set(result.input, result);
  });
  return GROUPS[group].map(({ input, ours }) => {
    const result = results.get(input) ?? { input, ours, broken: 'no result', ms: 0 };
    return fault === undefined ? result : { ...result, broken: `${result.broken ?? ''} ${fault}`.trim() };
  });
}
