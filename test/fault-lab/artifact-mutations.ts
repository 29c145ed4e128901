import { equal, ok } from 'node:assert/strict';
import { type DeliveryRequest, type TargetClient, TargetError } from '../../src/index.js';
import type { Check } from './checks.js';
import { type Path, pathsOf, withAt } from './mutations.js';
import { ARTIFACT, connect, survive } from './subjects.js';
import { shownBy } from './verdict.js';

const ASKED: DeliveryRequest = {
  id: { tntId: 'visitor.35_0' },
  property: { token: 'token-a' },
  context: { channel: 'web', address: { url: 'https://shop.example/' } },
  prefetch: {
    pageLoad: {},
    views: [{ name: 'home' }],
    mboxes: ['hero', 'flags', 'page', 'agent', 'far'].map((name, index) => ({ index, name })),
  },
};
const OTHERS: readonly unknown[] = [null, 7, 'text', true, [], {}, [7], { a: 7 }];

/** A client whose CDN serves whatever text it is given. */
class Bench {
  readonly client: TargetClient;
  readonly failures: TargetError[] = [];
  readonly warnings: string[] = [];
  #text = JSON.stringify(ARTIFACT);
  #version = 0;

  constructor() {
    const answer = () => new Response(this.#text, { headers: { ETag: `"${this.#version}"` } });
    this.client = connect(answer, {
      decisioningMethod: 'on-device',
      artifactLocation: 'http://cdn.test/rules.json',
      pollingInterval: 0,
      logger: { warn: (line: unknown) => void this.warnings.push(String(line)) },
      events: { artifactDownloadFailed: ({ error }) => void this.failures.push(error as TargetError) },
    });
  }

  /** Serves a text and has it downloaded. Whether it was taken. */
  async serve(text: string): Promise<boolean> {
    this.#text = text;
    this.#version += 1;
    this.failures.length = 0;
    this.warnings.length = 0;
    const came = await survive(() => this.client.refresh());
    if (!(came instanceof TargetError)) {
      return true;
    }
    ok(this.failures.length > 0, `no event tells of ${shownBy(came)}`);
    return false;
  }

  /** What is decided, location by location, with what is left to the edge. */
  async decide(): Promise<Record<string, string>> {
    const came = await survive(() => this.client.getOffers({ request: ASKED }));
    if (came instanceof TargetError) {
      throw new Error(`no decision: ${shownBy(came)}`);
    }
    const { response, meta } = came;
    const remote = new Set([...meta.remoteMboxes, ...meta.remoteViews]);
    const parts = [...(response.prefetch?.mboxes ?? []), ...(response.prefetch?.views ?? [])];
    const shown = parts.map(({ name = '', options, metrics }) => [
      name,
      remote.has(name) ? 'remote' : JSON.stringify({ options, metrics }),
    ]);
    return Object.fromEntries([...shown, ['page load', JSON.stringify(response.prefetch?.pageLoad)]]);
  }
}

const ESSENTIAL =
  /^(version|rules|rules\.(mboxes|views)(\.[\w-]+)?|(remote|local)(Mboxes|Views)(\.\d+)?|responseTokens(\.\d+)?)$/;

/**
 * Each change of each field: what does not fit is refused and named, and what is taken decides as it says. Resolves
 * with how many were refused and how many taken.
 */
async function checkFields(change: (path: Path) => readonly unknown[]): Promise<void> {
  const bench = new Bench();
  ok(await bench.serve(JSON.stringify(ARTIFACT)));
  const before = JSON.stringify(await bench.decide());
  const broken: string[] = [];
  for (const path of pathsOf(ARTIFACT).filter(({ length }) => length > 0)) {
    for (const replacement of change(path)) {
      const what = `${path.join('.')} → ${JSON.stringify(replacement)}`;
      try {
        await checkField(bench, path, { replacement, before });
      } catch (error) {
        broken.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        await bench.serve(JSON.stringify(ARTIFACT));
      }
    }
  }
  await bench.client.close();
  if (broken.length > 0) {
    throw new Error(`${broken.length} changes, such as ${broken.slice(0, 12).join('\n  ')}`);
  }
}

async function checkField(
  bench: Bench,
  path: Path,
  { replacement, before }: { readonly replacement: unknown; readonly before: string },
): Promise<void> {
  const isTaken = await bench.serve(JSON.stringify(withAt(ARTIFACT, path, replacement)));
  const after = JSON.stringify(await bench.decide());
  if (!isTaken) {
    equal(after, before, 'it was refused, but decisions changed');
    const [{ code, path: named } = { code: '', path: '' }] = bench.failures;
    equal(code, 'ERR_TARGET_ARTIFACT');
    const root = String(path[0]);
    ok(named?.startsWith(root), `the event names ${named} and not ${root}`);
    ok(await bench.serve(JSON.stringify(ARTIFACT)), 'the next good one was not taken');
    equal(JSON.stringify(await bench.decide()), before, 'the next good one does not decide as before');
    return;
  }
  await bench.serve(JSON.stringify(ARTIFACT));
  if (ESSENTIAL.test(path.join('.')) && isRetyped(replacement, path)) {
    throw new Error('it was taken');
  }
}

function isRetyped(replacement: unknown, path: Path): boolean {
  const was = path.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown>)[step],
    ARTIFACT,
  );
  // Null stands for absence, and lists may be absent.
  if (replacement === undefined) {
    return /^(version|rules)$/.test(path.join('.'));
  }
  if (replacement === null) {
    return /^(version|rules|.*\.\d+)$/.test(path.join('.'));
  }
  const kind = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
  if (Array.isArray(replacement) && Array.isArray(was)) {
    return false;
  }
  return kind(replacement) !== kind(was);
}

async function checkBytes(): Promise<void> {
  const bench = new Bench();
  const good = JSON.stringify(ARTIFACT);
  ok(await bench.serve(good));
  const before = JSON.stringify(await bench.decide());
  let last = before;
  const bytes = ['\0', '"', '}', ' ', '9', 'a', '\u{fffd}'];
  for (let at = 0; at < good.length; at += 1) {
    const byte = bytes[at % bytes.length] ?? '';
    const isTaken = await bench.serve(good.slice(0, at) + byte + good.slice(at + 1));
    const after = JSON.stringify(await bench.decide());
    if (isTaken) {
      last = after;
    } else {
      equal(after, last, `byte ${at} was refused, but decisions changed`);
    }
  }
  ok(await bench.serve(good), 'the next good one was not taken');
  equal(JSON.stringify(await bench.decide()), before);
  await bench.client.close();
}

async function checkCuts(): Promise<void> {
  const bench = new Bench();
  const good = JSON.stringify(ARTIFACT);
  ok(await bench.serve(good));
  const before = JSON.stringify(await bench.decide());
  for (let at = 0; at < good.length; at += 7) {
    ok(!(await bench.serve(good.slice(0, at))), `the first ${at} bytes were taken`);
    equal(JSON.stringify(await bench.decide()), before, `the first ${at} bytes changed decisions`);
  }
  await bench.client.close();
}

/** What makes a rule one that cannot be decided by, by its field. */
const UNDECIDABLE: Readonly<Record<string, readonly unknown[]>> = {
  meta: [undefined, null, 7, 'text', []],
  consequence: [undefined, null, 7, 'text', []],
  'consequence.options': [7, 'text', true, { a: 7 }],
  'consequence.metrics': [7, 'text', true, { a: 7 }],
  condition: [undefined, { unknown: [1] }],
  propertyTokens: ['token-b', 7, {}],
  // One that is missing is in the meta too.
  activityId: [{}, [1], true],
};

/** A rule that cannot be decided by must not be decided by: its location is the edge's, and nobody else's. */
async function checkRules(): Promise<void> {
  const bench = new Bench();
  ok(await bench.serve(JSON.stringify(ARTIFACT)));
  const before = await bench.decide();
  const broken: string[] = [];
  for (const [field, replacements] of Object.entries(UNDECIDABLE)) {
    for (const replacement of replacements) {
      const path = ['rules', 'mboxes', 'hero', 0, ...field.split('.')];
      const text = JSON.stringify(withAt(ARTIFACT, path, replacement));
      ok(await bench.serve(text));
      const after = await bench.decide();
      const what = `${field} → ${JSON.stringify(replacement)}`;
      if (after.hero !== 'remote') {
        broken.push(`${what}: hero is ${after.hero}`);
      }
      if (JSON.stringify({ ...after, hero: '' }) !== JSON.stringify({ ...before, hero: '' })) {
        broken.push(`${what}: other locations changed`);
      }
      if (!bench.warnings.some((line) => line.includes('hero'))) {
        broken.push(`${what}: no warning`);
      }
    }
  }
  await bench.client.close();
  equal(broken.join('\n'), '');
}

/** What has to hold of artifacts, beside the matrix. */
export const ARTIFACT_CHECKS: readonly Check[] = [
  {
    input: 'artifact: any byte changed',
    ours: 'It is taken or refused as a whole. Every call gets a decision.',
    run: checkBytes,
  },
  { input: 'artifact: cut short anywhere', ours: 'It is refused. Decisions stay as before.', run: checkCuts },
  {
    input: 'artifact: any field removed',
    ours: 'It is refused, with an event that names the part, and decisions stay as before. Or it is taken, and the rest is used.',
    run: () => checkFields(() => [undefined]),
  },
  {
    input: 'artifact: any field changed to another type',
    ours: 'It is refused, with an event that names the part, and decisions stay as before. Or it is taken, and the rest is used.',
    run: () => checkFields(() => OTHERS),
  },
  {
    input: 'artifact: a rule without meta, without consequence, or with a condition that is not understood',
    ours: 'Its location is left to the edge, with a warning. All others stay as before.',
    run: checkRules,
  },
];
