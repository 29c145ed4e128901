import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.js';
import { type Settings, toEnvironment } from './settings.js';

/** A process of the fleet, running or ended. The place of an ended one is taken by a new process with the same name. */
export interface Member {
  /** Unique, also among processes with the same name. */
  readonly number: number;
  readonly name: string;
  readonly kind: 'web' | 'worker';
  readonly child: ChildProcess;
  state: 'starting' | 'running' | 'ending' | 'ended' | 'killed';
  /** The last report. */
  report?: Report;
  /** True when the process has told of its first rules. Those after it are changes. */
  hasRules: boolean;
}

/** Learns that a process has changed to other rules. */
export type OnChange = (member: Member, report: Report & { readonly changedAtMs: number }) => void;

const NAMES = ['web-1', 'web-2', 'web-3', 'worker'] as const;
/** A killed process stays away for this time, so that the page can show it. */
const RESTART_MS = 3_000;
/** A process that has not ended after this time is killed. */
const GRACE_MS = 10_000;

/** The processes of the fleet. Who dies is replaced. */
export class Members {
  readonly #settings: () => Settings;
  readonly #onChange: OnChange;
  readonly #all: Member[] = [];
  #isEnding = false;

  constructor(settings: () => Settings, onChange: OnChange) {
    this.#settings = settings;
    this.#onChange = onChange;
    for (const name of NAMES) {
      this.#start(name);
    }
  }

  /** All processes since the start, those that have ended included. */
  get all(): readonly Member[] {
    return this.#all;
  }

  /** The web processes that take requests. */
  get serving(): readonly Member[] {
    return this.#all.filter(({ state, report }) => state === 'running' && report?.port !== undefined);
  }

  /** Kills a process with a signal that nobody can catch. */
  kill(name: string): void {
    const member = this.#current(name);
    if (member) {
      member.state = 'killed';
      member.child.kill('SIGKILL');
    }
  }

  /** Replaces the web processes in good order, one after the other, as a deployment does. */
  async replace(): Promise<void> {
    for (const name of NAMES) {
      const member = this.#current(name);
      if (member?.kind === 'web') {
        await end(member);
        this.#start(name);
      }
    }
  }

  /** Ends all processes: first those that hand over, then the worker. */
  async end(): Promise<void> {
    this.#isEnding = true;
    const running = this.#all.filter(isRunning);
    await Promise.all(running.filter(({ kind }) => kind === 'web').map(end));
    await Promise.all(running.filter(({ kind }) => kind === 'worker').map(end));
  }

  #current(name: string): Member | undefined {
    return this.#all.find((member) => member.name === name && isRunning(member));
  }

  #start(name: (typeof NAMES)[number]): void {
    const kind = name === 'worker' ? 'worker' : 'web';
    const script = fileURLToPath(new URL(`${kind}.ts`, import.meta.url));
    const child = fork(script, { env: toEnvironment(this.#settings()) });
    const number = this.#all.length + 1;
    const member: Member = { number, name, kind, child, state: 'starting', hasRules: false };
    this.#all.push(member);
    child.on('message', (report: Report) => this.#hear(member, report));
    child.once('exit', (code, signal) => {
      const wasAsked = member.state === 'ending';
      member.state = wasAsked ? 'ended' : 'killed';
      if (wasAsked || this.#isEnding) {
        return;
      }
      console.error(`${name} ended with ${signal ?? code}, and is started again`);
      setTimeout(() => {
        if (!this.#isEnding) {
          this.#start(name);
        }
      }, RESTART_MS).unref();
    });
  }

  #hear(member: Member, report: Report): void {
    member.report = report;
    if (member.state === 'starting' && (report.port !== undefined || member.kind === 'worker')) {
      member.state = 'running';
    }
    if (report.changedAtMs !== undefined) {
      if (member.hasRules) {
        this.#onChange(member, { ...report, changedAtMs: report.changedAtMs });
      }
      member.hasRules = true;
    }
  }
}

/** Tells whether a process has neither ended nor been killed. */
export function isRunning({ state }: Member): boolean {
  return state !== 'ended' && state !== 'killed';
}

async function end(member: Member): Promise<void> {
  const { child } = member;
  member.state = 'ending';
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(timer);
  }
}
