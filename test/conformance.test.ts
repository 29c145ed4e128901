import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  type DeliveryResponse,
  type GetOffersOptions,
  TargetClient,
  type TargetClientConfig,
} from '../src/index.js';

const FOLDER = join(process.cwd(), '../shared/conformance');

interface Case {
  readonly description: string;
  readonly artifact?: string;
  readonly conf?: Partial<TargetClientConfig>;
  readonly mockDate?: Readonly<Record<'year' | 'month' | 'date' | 'hours', number>> & {
    readonly minutes?: number;
  };
  readonly input: GetOffersOptions;
  readonly output?: object;
  readonly notificationOutput?: { readonly request: object } | null;
}

interface Suite {
  readonly description: string;
  readonly artifact?: string;
  readonly conf?: Partial<TargetClientConfig>;
  readonly test: Readonly<Record<string, Case>>;
}

function read(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'));
}

/** The suites write matchers as strings. */
function withMatchers(value: unknown): unknown {
  const [, name] = /^expect\.any\((\w+)\)$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (name) {
    return expect.any({ Object, String, Number, Array, Boolean }[name] ?? Object);
  }
  if (Array.isArray(value)) {
    return value.map(withMatchers);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMatchers(inner)]));
}

interface Edge {
  readonly fetchApi: NonNullable<TargetClientConfig['fetchApi']>;
  /** What was sent besides the question for the location hint. */
  readonly deliveries: unknown[];
}

/** Serves the artifact, and answers deliveries with nothing. */
function edgeOf(artifact: unknown): Edge {
  const deliveries: unknown[] = [];
  const fetchApi: Edge['fetchApi'] = async (url, { body }) => {
    if (url.endsWith('/rules.json')) {
      return new Response(JSON.stringify(artifact), { headers: { etag: '"1"' } });
    }
    const request = JSON.parse(body ?? '{}');
    if (request.notifications ?? request.telemetry) {
      deliveries.push(request);
    }
    const { notifications } = request;
    const answer: DeliveryResponse = {
      status: 200,
      client: 'someClientId',
      ...(notifications && { notifications }),
    };
    return new Response(JSON.stringify(answer));
  };
  return { fetchApi, deliveries };
}

/** The same artifact with rules that have the id of their activity in their meta data alone. */
function withoutActivityIds(artifact: unknown): unknown {
  return JSON.parse(JSON.stringify(artifact, (name, value) => (name === 'activityId' ? undefined : value)));
}

async function runCase(
  suite: Suite,
  toServed: (artifact: unknown) => unknown,
  { artifact, conf, input, mockDate, output, notificationOutput }: Case,
) {
  if (mockDate) {
    const { year, month, date, hours, minutes = 0 } = mockDate;
    // Only the date: the client's own timers and the event loop go on.
    jest.useFakeTimers({
      now: Date.UTC(year, month, date, hours, minutes),
      doNotFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
  }
  const { fetchApi, deliveries } = edgeOf(toServed(read('artifacts', `${artifact ?? suite.artifact}.json`)));
  const client = TargetClient.create({
    client: '',
    organizationId: '',
    decisioningMethod: 'on-device',
    fetchApi,
    ...suite.conf,
    ...conf,
  });
  await client.ready();
  const { response } = await client.getOffers(input);
  await client.flush();
  const beforeClose = deliveries.length;
  await client.close();
  if (output) {
    expect(response).toMatchObject(withMatchers(output) as object);
  }
  if (notificationOutput === null) {
    expect(beforeClose).toBe(0);
  }
  if (notificationOutput) {
    expect(deliveries[0]).toMatchObject(withMatchers(notificationOutput.request) as object);
  }
}

afterEach(() => {
  jest.useRealTimers();
});

if (!existsSync(FOLDER)) {
  const missing = 'skipped: the cross-SDK suites are not beside the project (../shared/conformance)';
  // Jest shows neither the name nor the console of a suite that is skipped.
  process.stderr.write(`${missing}\n`);
  test.skip(missing, () => undefined);
} else {
  for (const file of readdirSync(join(FOLDER, 'suites'))) {
    const suite = read('suites', file) as Suite;
    describe(`${file}: ${suite.description}`, () => {
      for (const [name, one] of Object.entries(suite.test)) {
        test(`${name}: ${one.description}`, () => runCase(suite, (artifact) => artifact, one));
        test(`${name}, by rules without activityId`, () => runCase(suite, withoutActivityIds, one));
      }
    });
  }
}
