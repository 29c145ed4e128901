import { type } from 'arktype';
import { flag } from 'flags/next';
import { flag as oldestFlag } from 'flags-oldest/next';
import type { DataLayerActivity, TargetClient } from 'target-node-sdk';
import { toDataLayer } from 'target-node-sdk';
import { createTargetAdapter, getProviderData, type TargetEntities } from 'target-node-sdk/flags';
import type { Visit } from 'target-node-sdk/http';
import { defineMboxes, type Mboxes, type MboxOutputs, type StandardSchema } from 'target-node-sdk/mboxes';
import { toTypes } from 'target-node-sdk/tools';
import * as v from 'valibot';
import { z } from 'zod';
import type { TargetMboxes, TargetMboxName } from './target-mboxes.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where the first type is exactly the second. */
declare function same<A, B>(answer: Same<A, B>): void;

const zodHero = z.object({ title: z.string(), color: z.enum(['blue', 'red']), size: z.number().default(1) });
const page = defineMboxes(
  {
    zod: zodHero,
    valibot: v.object({ title: v.string(), results: v.pipe(v.string(), v.transform(Number)) }),
    arktype: type({ title: 'string', 'limit?': 'number' }),
    list: z.array(z.object({ name: z.string() })),
    'with dash': z.coerce.number(),
  },
  {
    zod: { title: '', color: 'blue', size: 1 },
    valibot: { title: '', results: 1 },
    arktype: { title: '' },
    list: [],
    'with dash': 0,
  },
);

export async function outputs(
  client: TargetClient,
  visit: Visit,
  from: TargetClient | Visit,
): Promise<unknown> {
  const { values, invalid, failure, answer } = await page.get(client, { targetCookie: 'a', timeout: 5 });
  same<typeof values.zod, { title: string; color: 'blue' | 'red'; size: number }>(true);
  same<typeof values.valibot, { title: string; results: number }>(true);
  same<typeof values.list, { name: string }[]>(true);
  same<(typeof values)['with dash'], number>(true);
  const title: string = values.arktype.title;
  const limit: number | undefined = values.arktype.limit;
  // @ts-expect-error there is no such mbox
  values.other;
  // @ts-expect-error the values are read-only
  values.list = [];
  const messages: string[] = invalid.flatMap(({ issues }) =>
    issues.map(({ message, path }) => path + message),
  );
  const code: string | undefined = failure?.code;
  const parsed = answer && (await page.parse(answer));
  same<NonNullable<typeof parsed>['values'], typeof values>(true);
  await page.get(visit);
  await page.get(from);
  // @ts-expect-error callbacks are not for promises
  await page.get(client, { callback: () => undefined });
  // @ts-expect-error somebody has to be asked
  await page.get();
  return [title, limit, messages, code];
}

export function definitions(schema: StandardSchema<{ a: number }>): Mboxes<Record<string, StandardSchema>> {
  // @ts-expect-error a default is missing
  defineMboxes({ hero: zodHero, other: schema }, { hero: { title: '', color: 'red', size: 1 } });
  // @ts-expect-error a default of another type
  defineMboxes({ hero: zodHero }, { hero: { title: '', color: 'green', size: 1 } });
  // @ts-expect-error a default without a key
  defineMboxes({ hero: zodHero }, { hero: { title: '', color: 'red' } });
  // @ts-expect-error a default of an mbox that has no schema
  defineMboxes({ other: schema }, { other: { a: 1 }, mbox: 1 });
  // @ts-expect-error no schema
  defineMboxes({ hero: { title: 'string' } }, { hero: 1 });
  const one = defineMboxes({ other: schema }, { other: { a: 1 } });
  const value: MboxOutputs<{ other: typeof schema }>['other'] = { a: 1 };
  return [one, value].length > 0 ? defineMboxes({}, {}) : defineMboxes({}, {});
}

export function listener(client: TargetClient): TargetClient {
  return client.on('invalidContent', ({ type, mbox, issues }) => {
    same<typeof type, 'invalidContent'>(true);
    return [type, mbox, issues.map(({ message, path }) => `${path}: ${message}`)];
  });
}

/** The types that were written from the rules of an artifact. */
export async function generated(client: TargetClient, artifact: unknown): Promise<unknown> {
  const names: TargetMboxName[] = ['mbox-feature-flags'];
  const flags = await client.getAttributes<TargetMboxes>(['mbox-feature-flags']);
  const isShown: boolean = flags.getBoolean('mbox-feature-flags', 'showFeatureX', false);
  same<TargetMboxes['mbox-feature-flags']['paymentExperience'], 'alpha10' | 'legacy'>(true);
  // @ts-expect-error a key that the rules do not have
  flags.getValue('mbox-feature-flags', 'showFeatureY');
  return [names, isShown, toTypes(artifact, { literals: false }).length];
}

/** Flags of the newest and of the oldest version of Vercel's package. */
export function flags(client: TargetClient): unknown {
  const adapter = createTargetAdapter(() => client, {
    mbox: 'flags',
    timeout: 300,
    onError: ({ code }) => code,
  });
  const identify = (): TargetEntities => ({
    targetingKey: 7,
    customerIds: { crm: '1' },
    parameters: { plan: 'a' },
  });
  const beta = flag<boolean>({ key: 'beta', adapter: adapter(), defaultValue: false });
  const lazy = flag<boolean>({ key: 'beta', adapter, defaultValue: false });
  const color = flag<string, TargetEntities>({ key: 'color', adapter: adapter(), identify });
  const oldest = oldestFlag<number, TargetEntities>({ key: 'size', adapter: adapter<number>(), identify });
  // @ts-expect-error the default has another type than the flag
  flag<boolean>({ key: 'beta', adapter: adapter(), defaultValue: 'no' });
  // @ts-expect-error an option that does not exist
  createTargetAdapter(client, { mboxes: 'flags' });
  return [beta, lazy, color, oldest, getProviderData(undefined, { keys: ['beta'] }).definitions];
}

export function dataLayer(answer: Parameters<typeof toDataLayer>[0]): DataLayerActivity[] {
  const [first] = toDataLayer(answer);
  const name: string | undefined = first?.activityName;
  return name === undefined ? [] : [{ activityName: name }];
}
