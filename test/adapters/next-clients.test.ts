import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type * as NextEntry from '../../src/adapters/next.js';
import { createNextTarget, type NextTarget, type NextTargetOptions } from '../../src/adapters/next.js';
import { TargetClient, type TargetClientConfig, TargetError } from '../../src/index.js';
import { listeningLogger, targetErrorOf } from '../with-edge.js';
import { inRequest } from './next-stand-in.js';
import { withServing } from './serving.js';

jest.mock(
  'next/headers.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').headersModule,
  { virtual: true },
);
jest.mock(
  'next/server.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').serverModule,
  { virtual: true },
);

const { connect, edge } = withServing();
const PAGE = { host: 'shop.example', 'user-agent': 'Mozilla/5.0 Chrome/126.0.0.0' };
const targets: NextTarget[] = [];
let keys = 0;

afterEach(async () => {
  await Promise.all(targets.splice(0).map((target) => target.client().close()));
});

/** Options with a config, under a key that no other test has. */
function optionsOf(config: Partial<TargetClientConfig> = {}): NextTargetOptions & { key: string } {
  keys += 1;
  return { client: { ...edge().config, ...config }, key: `test-${keys}` };
}

function make(options: NextTargetOptions, create = createNextTarget): NextTarget {
  const target = create(options);
  targets.push(target);
  return target;
}

/** Another copy of the entry, as each bundle of Next.js has one. */
function otherCopy(): typeof NextEntry {
  let copy: typeof NextEntry | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual('../../src/adapters/next');
  });
  if (!copy) {
    throw new Error('the entry was not loaded');
  }
  return copy;
}

function targetErrorIn(act: () => unknown): TargetError | undefined {
  try {
    act();
  } catch (thrown) {
    return thrown instanceof TargetError ? thrown : undefined;
  }
  return undefined;
}

describe('the client', () => {
  test('is made at first use, and not when the file is loaded', async () => {
    const created = jest.spyOn(TargetClient, 'create');
    const target = make(optionsOf());
    expect(created).not.toHaveBeenCalled();
    expect(target.client()).toBe(target.client());
    expect(created).toHaveBeenCalledTimes(1);
    created.mockRestore();
  });

  test('is refused while Next.js builds, and is there when it serves', () => {
    const target = make(optionsOf());
    try {
      process.env.NEXT_PHASE = 'phase-production-build';
      const error = targetErrorIn(() => target.client());
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG' });
      expect(error?.message).toContain('Await visit() in the page');
      process.env.NEXT_PHASE = 'phase-production-server';
      expect(target.client()).toBeInstanceOf(TargetClient);
    } finally {
      delete process.env.NEXT_PHASE;
    }
  });

  test('is one for all copies of the file', async () => {
    const options = optionsOf();
    const copies = [createNextTarget, otherCopy().createNextTarget, otherCopy().createNextTarget];
    const clients = copies.map((create) => make({ ...options }, create).client());
    expect(new Set(clients).size).toBe(1);
  });

  test('is one by what is in the config, without a key', () => {
    const [one, same, other] = [{}, {}, { propertyToken: 'p1' }].map((more) =>
      make({ client: { ...edge().config, client: 'keyless', ...more } }),
    );
    expect(same?.client()).toBe(one?.client());
    expect(other?.client()).not.toBe(one?.client());
  });

  test('stays when functions and objects of the config are made anew, as an edit of the file does', async () => {
    const anew = () => ({
      logger: listeningLogger().logger,
      events: { requestSucceeded: () => undefined },
      agent: () => undefined,
    });
    const { key, client } = optionsOf();
    await inDevelopment(() => {
      const before = make({ client: { ...client, ...anew() } as TargetClientConfig, key }).client();
      expect(make({ client: { ...client, ...anew() } as TargetClientConfig, key }).client()).toBe(before);
    });
  });

  test('in development, is another one when the config was edited, also for older copies', async () => {
    const options = optionsOf();
    const old = make(options);
    await inDevelopment(async () => {
      const before = old.client();
      const edited = make({ ...options, client: { ...edge().config, timeout: 4321 } });
      expect(edited.client()).not.toBe(before);
      expect(old.client()).toBe(edited.client());
      expect((await targetErrorOf(() => before.getAttributes(['hero']))).code).toBe('ERR_TARGET_CLOSED');
      expect(make({ ...options, client: { ...edge().config, timeout: 4321 } }).client()).toBe(
        edited.client(),
      );
    });
  });

  test('in production, stays when another config has its key, with one warning', () => {
    const { lines, logger } = listeningLogger();
    const options = optionsOf({ logger });
    const first = make(options).client();
    const other = make({ ...options, client: { ...edge().config, logger, timeout: 4321 } });
    expect([other.client(), other.client()]).toEqual([first, first]);
    expect(lines.warn).toEqual([expect.stringContaining(`'${options.key}'`)]);
  });

  test('is what a function returns, once for each target, or once for each key', () => {
    const own = connect();
    const give = jest.fn(() => own);
    const target = createNextTarget({ client: give });
    expect([target.client(), target.client()]).toEqual([own, own]);
    expect(give).toHaveBeenCalledTimes(1);
    const { key } = optionsOf();
    const first = createNextTarget({ client: () => own, key }).client();
    expect(createNextTarget({ client: () => connect(), key }).client()).toBe(first);
  });

  test('fails with its own error, and works when the fault is mended', async () => {
    const wrong = createNextTarget({ client: { client: '', organizationId: '' } });
    expect((await targetErrorOf(() => wrong.client())).code).toBe('ERR_TARGET_INVALID_CONFIG');
    expect((await targetErrorOf(() => wrong.visit())).code).toBe('ERR_TARGET_INVALID_CONFIG');
    let client: unknown;
    const late = createNextTarget({ client: () => client as TargetClient });
    expect((await targetErrorOf(() => late.client())).path).toBe('client');
    client = connect();
    expect(late.client()).toBe(client);
  });
});

describe('copies of the package', () => {
  test('share the visit of a request', async () => {
    const options = optionsOf();
    const [one, other] = [make(options), make(options, otherCopy().createNextTarget)];
    await inRequest(PAGE, async () => {
      const [first, second] = await Promise.all([one.visit(), other.visit()]);
      expect(second).toBe(first);
    });
  });

  test('recognise the errors of each other', async () => {
    const options = optionsOf();
    make(options).client();
    const copy = otherCopy();
    const target = make(options, copy.createNextTarget);
    const error = await copyError(() => target.visit());
    expect(error instanceof TargetError).toBe(true);
  });
});

/** The error of another copy, whose class is not that of this file. */
async function copyError(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** Runs code as `next dev` does. */
async function inDevelopment(work: () => unknown): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'development';
  try {
    await work();
  } finally {
    process.env.NODE_ENV = before;
  }
}
