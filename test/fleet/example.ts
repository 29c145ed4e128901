import { deepEqual, equal, ok } from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, launchChromium, type Tab } from '../next/browser.js';
import { root, runTool } from '../package/sandbox.js';
import type { FleetRun } from './run.js';

const MAX_WAIT_MS = 120_000;
const WEB = ['web-1', 'web-2', 'web-3'];

/** A fleet that runs, as its users start it. */
interface Running {
  readonly url: string;
  readonly npm: ChildProcess;
}

/** Starts `examples/fleet` with its one command, and drives its page in Chromium. */
export async function checkExample({ report }: Pick<FleetRun, 'report'>): Promise<void> {
  let browser: Browser | undefined;
  let fleet: Running | undefined;
  try {
    browser = await launchChromium();
    const tab = await (await browser.newContext()).newPage();
    await report.check('example: one command starts the fleet', async () => {
      fleet = await start();
    });
    await report.check('example: its types are right', () =>
      runTool('typescript', ['-p', 'examples/fleet'], { cwd: root }),
    );
    if (fleet) {
      await checkPage(report, tab, fleet.url);
      await report.check('example: Ctrl-C ends every process', () => checkEnd(fleet, 'SIGINT'));
    }
    await report.check('example: no process outlives a supervisor that is killed', async () => {
      fleet = await start({ FLEET_MODE: 'always' });
      await tab.goto(fleet.url);
      const page = new FleetPage(tab);
      await page.until('impressions go through the queue', async () => (await page.number('relayed')) > 0);
      await page.untilItAddsUp();
      await checkEnd(fleet, 'SIGKILL');
    });
  } finally {
    await browser?.close();
    if (fleet?.npm.pid && fleet.npm.exitCode === null && fleet.npm.signalCode === null) {
      process.kill(-fleet.npm.pid, 'SIGINT');
    }
  }
}

async function checkPage(report: FleetRun['report'], tab: Tab, url: string): Promise<void> {
  const complaints: string[] = [];
  tab.on('console', (message) => complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(error.message));
  await tab.goto(url);
  const page = new FleetPage(tab);
  for (const { name, run } of STEPS) {
    await report.check(`example: ${name}`, async () => {
      await run(page);
      await page.untilItAddsUp();
    });
  }
  await report.check('example: the page complains of nothing', () => deepEqual(complaints, []));
}

interface Step {
  readonly name: string;
  readonly run: (page: FleetPage) => Promise<void>;
}

const STEPS: readonly Step[] = [
  { name: 'all processes decide by the first version', run: (page) => page.untilVersion(1) },
  {
    name: 'all processes change to a version that is published, and no visitor flips back',
    run: async (page) => {
      await page.press('Publish version 2');
      await page.untilVersion(2);
      await page.until('the time line has three processes', async () => {
        const line = await page.text('#changes');
        return WEB.every((name) => line.includes(`${name} +`)) && /Spread: \d+ ms/.test(line);
      });
      ok((await page.text('#flips')).includes('older version: 0.'));
    },
  },
  {
    name: 'the focus of the keyboard stays where it is while the page changes',
    run: async (page) => {
      await page.evaluate(`document.querySelector('[data-action="kill/web-3"]').focus()`);
      await page.untilMore('accepted');
      equal(await page.evaluate('document.activeElement.dataset.action'), 'kill/web-3');
    },
  },
  {
    name: 'decisions go on without Redis, and their impressions go to the edge',
    run: async (page) => {
      await page.press('Stop Redis');
      await page.until('the store fails', async () =>
        (await page.text('#web')).includes('without the store'),
      );
      await page.untilMore('delivered');
      await page.press('Start Redis');
      await page.until(
        'the store works',
        async () => !(await page.text('#web')).includes('without the store'),
      );
    },
  },
  {
    name: 'the queue holds impressions while the edge is stopped, also when a process is killed',
    run: async (page) => {
      await page.press('Stop the edge');
      await page.until('the queue holds some', async () => (await page.number('held')) > 0);
      await page.press('Kill web-2');
      await page.until('it has a predecessor', async () => (await page.text('#web')).includes('web-2, its'));
      await page.untilVersion(2);
    },
  },
  {
    name: 'the worker, which was killed and started again, sends them when the edge is back',
    run: async (page) => {
      await page.press('Kill the worker');
      await page.until(
        'the worker is away',
        async () => !(await page.text('#worker-state')).includes('running'),
      );
      await page.press('Start the edge');
      await page.until('it is back', async () => (await page.text('#worker-state')).includes('running'));
      await page.until('the queue is empty', async () => (await page.number('held')) === 0);
      ok((await page.number('relayed')) > 0);
    },
  },
  {
    name: 'the web processes are replaced for the other mode, and lose nothing',
    run: async (page) => {
      const { lost } = await page.counts();
      await page.evaluate(`document.querySelector('[value="always"]').click()`);
      await page.until('three processes have ended', async () => {
        const text = await page.text('#web');
        return WEB.every((name) => text.includes(`${name}, its`));
      });
      await page.untilVersion(2);
      const before = await page.number('relayed');
      await page.until('the worker sends more', async () => (await page.number('relayed')) > before);
      equal((await page.counts()).lost, lost);
    },
  },
  {
    name: 'a worker that is killed while everything goes through the queue is accounted for',
    run: async (page) => {
      await page.press('Kill the worker');
      const state = () => page.text('#worker-state');
      await page.until('the worker is away', async () => !(await state()).includes('running'));
      await page.until('it is back', async () => (await state()).includes('running'));
      const before = await page.number('relayed');
      await page.until('the worker sends more', async () => (await page.number('relayed')) > before);
    },
  },
  {
    name: 'when nothing moves, the edge has every impression but those that were lost',
    run: async (page) => {
      await page.press('Pause the visitors');
      await page.until('nothing waits', async () => {
        const { waiting } = await page.counts();
        return waiting === 0 && (await page.number('held')) === 0;
      });
      await page.untilItAddsUp();
      const { accepted, lost, handedOver } = await page.counts();
      equal((await page.number('distinct')) + lost, accepted);
      ok(handedOver > 0);
    },
  },
];

/** The page of the fleet, as a visitor reads it. */
class FleetPage {
  readonly #tab: Tab;

  constructor(tab: Tab) {
    this.#tab = tab;
  }

  press(name: string): Promise<void> {
    return this.#tab.getByRole('button', { name }).click();
  }

  text(selector: string): Promise<string> {
    return this.#tab.locator(selector).innerText();
  }

  evaluate(script: string): Promise<unknown> {
    return this.#tab.evaluate(script);
  }

  async number(id: string): Promise<number> {
    return Number(await this.text(`#${id}`));
  }

  /** The sums of the table's columns. All of it is read at one time. */
  async counts(): Promise<Record<'accepted' | 'delivered' | 'handedOver' | 'waiting' | 'lost', number>> {
    const rows = (await this.evaluate(`[...document.querySelectorAll('#web tbody tr')].map((row) =>
      Object.fromEntries([...row.querySelectorAll('[data-field]')].map((cell) =>
        [cell.dataset.field, cell.textContent])))`)) as Record<string, string>[];
    const sum = (pick: (row: Record<string, string>) => string | undefined) =>
      rows.reduce((total, row) => total + Number(pick(row) ?? 0), 0);
    const lostOf = ({ queued = '' }: Record<string, string>) => /\((\d+) lost/.exec(queued)?.[1];
    return {
      accepted: sum(({ accepted }) => accepted),
      delivered: sum(({ delivered }) => delivered),
      handedOver: sum(({ handedOver }) => handedOver),
      lost: sum(lostOf),
      waiting: sum((row) => (lostOf(row) === undefined ? row.queued : '0')),
    };
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const from = performance.now(); !(await isSo()); await pause(100)) {
      if (performance.now() - from > MAX_WAIT_MS) {
        throw new Error(`not so yet: ${what}. The page says:\n${await this.text('body')}`);
      }
    }
  }

  untilItAddsUp(): Promise<void> {
    return this.until(
      'the numbers add up',
      async () => (await this.text('#verdict')) === 'The numbers add up.',
    );
  }

  untilVersion(version: number): Promise<void> {
    return this.until(`three processes decide by version ${version}`, async () => {
      const text = await this.text('#web');
      return text.split(`version ${version} ·`).length === WEB.length + 1;
    });
  }

  async untilMore(field: 'accepted' | 'delivered'): Promise<void> {
    const { [field]: before } = await this.counts();
    await this.until(`more are ${field}`, async () => (await this.counts())[field] > before);
  }
}

async function start(environment: NodeJS.ProcessEnv = {}): Promise<Running> {
  // A group of its own, as a terminal gives a command: Ctrl-C then reaches all of it.
  const npm = spawn('npm', ['run', '--silent', 'start:fleet'], {
    cwd: root,
    env: { ...process.env, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(npm, 'exit').then(([code]) => {
    throw new Error(`npm run start:fleet ended with ${code}`);
  });
  const url = (async () => {
    for await (const line of createInterface({ input: npm.stdout ?? process.stdin })) {
      const [found] = /http:\/\/\S+/.exec(line) ?? [];
      if (found) {
        return found.replace('localhost', '127.0.0.1');
      }
    }
    throw new Error('npm run start:fleet printed no URL');
  })();
  ended.catch(() => undefined);
  return { url: await Promise.race([url, ended]), npm };
}

/** Ends the fleet by Ctrl-C, or by killing its supervisor, and waits until none of its processes is left. */
async function checkEnd(fleet: Running | undefined, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  const { npm } = fleet ?? {};
  if (!npm?.pid) {
    throw new Error('the fleet did not start');
  }
  const family = descendantsOf(npm.pid);
  ok(
    family.some(({ args }) => /redis-server .*:\d+/.test(args)),
    'redis-server is not among the processes',
  );
  const [folder = ''] = family.flatMap(({ args }) => /\S*target-fleet-\S+/.exec(args) ?? []);
  equal(existsSync(folder), true);
  if (signal === 'SIGINT') {
    process.kill(-npm.pid, 'SIGINT');
  } else {
    const supervisors = family.filter(({ args }) => args.includes('start.ts'));
    process.kill(supervisors.at(-1)?.pid ?? 0, 'SIGKILL');
  }
  for (const from = performance.now(); ; await pause(100)) {
    const left = family.filter(({ pid }) => isAlive(pid));
    if (left.length === 0) {
      equal(existsSync(folder), false);
      return;
    }
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error(`still running: ${left.map(({ args }) => args).join('; ')}`);
    }
  }
}

interface Process {
  readonly pid: number;
  readonly args: string;
}

/** All processes that a process has started, and those that they have started. */
function descendantsOf(pid: number): Process[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const all = lines.map((line) => {
    const [, id = '', parent = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(id), parent: Number(parent), args };
  });
  const childrenOf = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...childrenOf(one.pid)]);
  return childrenOf(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
