import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { toError } from '../../src/errors.js';
import { type DeliveryRequest, TargetClient, TargetError } from '../../src/index.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import type { Check } from './checks.js';
import { checkInlineJson } from './inline-json.js';
import { linear } from './linear-time.js';
import { anyJson, anyValue, mutated, mutatedText } from './mutations.js';
import { ARTIFACT, connect, jsonAnswer, REQUEST, RESPONSE, survive } from './subjects.js';
import { shownBy } from './verdict.js';

const RUNS = 5000;
/** The same each time, so that what breaks in CI breaks at home; another one finds other cases. */
const SEED = Number(process.env.FAULT_LAB_SEED ?? 20_260_101);
const ANSWER = {
  status: 200,
  requestId: 'r',
  client: 'demo',
  edgeHost: 'mboxedge38.tt.omtrdc.net',
  id: { tntId: 't.38_0' },
};
const HERO: DeliveryRequest = { execute: { mboxes: [{ name: 'hero' }] } };

/** Runs a property so often, to the end, and reports each kind of case that breaks it once. */
async function fuzz<Input>(
  inputs: fc.Arbitrary<Input>,
  property: (input: Input) => Promise<void>,
): Promise<void> {
  const broken = new Map<string, string>();
  let cases = 0;
  const note = async (input: Input) => {
    cases += 1;
    try {
      await property(input);
    } catch (thrown) {
      const { stack = '' } = toError(thrown);
      const said = shownBy(thrown);
      const kind = said.slice(0, 120).replace(/\d+/g, '0');
      const from = stack.slice(stack.indexOf('\n    at')).split('\n').slice(1, 4).join('');
      if (broken.size < 20 && !broken.has(kind)) {
        broken.set(kind, `case ${cases}: ${said.slice(0, 800)}${from}`);
      }
    }
  };
  await fc.assert(fc.asyncProperty(inputs, note), { numRuns: RUNS, seed: SEED });
  if (broken.size > 0) {
    throw new Error(`seed ${SEED}\n${[...broken.values()].join('\n')}`);
  }
}

/** A client for each place in which decisions are made; the edge confirms everything. */
function bothClients() {
  const hosts = new Set<string>();
  const answer = (url: URL) => {
    hosts.add(url.host);
    return jsonAnswer(ANSWER);
  };
  const edge = connect(answer);
  const local = connect(answer, {
    decisioningMethod: 'on-device',
    artifactPayload: ARTIFACT,
    pollingInterval: 0,
  });
  const close = () => Promise.all([edge.close(), local.close()]);
  return { edge, local, hosts, close };
}

async function fuzzRequests(): Promise<void> {
  const { edge, local, close } = bothClients();
  const input = fc.tuple(
    mutated({ request: REQUEST, customerIds: { crm: { id: 'c', authState: 1 } } }, anyValue),
    fc.boolean(),
  );
  let answered = 0;
  await fuzz(input, async ([make, isLocal]) => {
    const options = make();
    const client = isLocal ? local : edge;
    const came = await survive(() => client.getOffers(options as never), [options]);
    if (!(came instanceof TargetError)) {
      answered += 1;
    }
    await survive(() => client.getAttributes(['flags'], options as never), [options]);
    await survive(() => client.sendNotifications(options as never), [options]);
  });
  await close();
  ok(answered > RUNS / 20, `only ${answered} were answered: the mutations are too coarse`);
}

const COOKIES = {
  targetCookie: 'session#0123456789abcdef#4102444800|PC#visitor.35_0#4102444800',
  targetLocationHint: '35',
  visitorCookie:
    '1585540135%7CMCMID%7C1234567890%7CMCAAMLH-4102444800%7C9%7CMCAAMB-4102444800%7Cblob%7CMCAID%7CNONE',
  sessionId: 'session-1',
  consumerId: 'consumer',
};

async function fuzzCookies(): Promise<void> {
  const { edge, local, hosts, close } = bothClients();
  const cookie = (name: keyof typeof COOKIES) =>
    fc.oneof(
      { weight: 4, arbitrary: mutatedText(COOKIES[name]).map((text) => () => text) },
      { weight: 1, arbitrary: anyValue },
    );
  const input = fc.record({
    targetCookie: cookie('targetCookie'),
    targetLocationHint: cookie('targetLocationHint'),
    visitorCookie: cookie('visitorCookie'),
    consumerId: cookie('consumerId'),
    sessionId: fc.option(cookie('sessionId'), { nil: undefined }),
    isLocal: fc.boolean(),
  });
  await fuzz(input, async ({ isLocal, ...makes }) => {
    const cookies = Object.entries(makes).map(([name, make]) => [name, make?.()]);
    const options = { ...Object.fromEntries(cookies), request: HERO };
    const came = await survive(() => (isLocal ? local : edge).getOffers(options as never), [options]);
    if (came instanceof TargetError || came === undefined) {
      return;
    }
    const { targetCookie, targetLocationHintCookie: hint } = came;
    ok((targetCookie?.value.length ?? 0) < 1000, 'the mbox cookie grows');
    ok(Number.isSafeInteger(targetCookie?.maxAge ?? 0), `maxAge is ${targetCookie?.maxAge}`);
    ok(hint === undefined || /^\d{1,4}$/.test(hint.value), `the hint cookie is ${hint?.value}`);
  });
  await close();
  const wrong = [...hosts].filter((host) => !/^(mboxedge\d{1,4}|demo)\.tt\.omtrdc\.net$/.test(host));
  deepEqual(wrong, []);
}

async function fuzzArtifacts(): Promise<void> {
  const good = JSON.stringify(ARTIFACT);
  let text = good;
  let version = 0;
  const answer = (url: URL) =>
    url.pathname.endsWith('.json')
      ? new Response(text, { headers: { ETag: `"${version}"` } })
      : jsonAnswer(ANSWER);
  const config = {
    decisioningMethod: 'on-device',
    artifactLocation: 'http://cdn.test/rules.json',
    pollingInterval: 0,
  } as const;
  const client = connect(answer, config);
  const input = fc.oneof(
    mutatedText(good),
    mutated(ARTIFACT, anyJson).map((make) => JSON.stringify(make()) ?? ''),
  );
  const everything: DeliveryRequest = {
    ...REQUEST,
    execute: {
      pageLoad: {},
      mboxes: ['hero', 'flags', 'page', 'agent'].map((name, index) => ({ index, name })),
    },
    prefetch: { pageLoad: {}, views: [{}], mboxes: [{ index: 9, name: 'flags' }] },
  };
  const { notifications: _, trace, ...request } = everything;
  const serve = async (next: string) => {
    text = next;
    version += 1;
    return survive(() => client.refresh());
  };
  let taken = 0;
  await fuzz(input, async (next) => {
    equal(await serve(good), undefined, 'the good one was not taken');
    const before = await decided(client, request);
    const came = await serve(next);
    const after = await survive(() => client.getOffers({ request: { ...request, trace } }));
    if (after instanceof TargetError) {
      throw new Error(`no decision by it: ${shownBy(after)}`);
    }
    if (came instanceof TargetError) {
      equal(came.code, 'ERR_TARGET_ARTIFACT');
      equal(await decided(client, request), before, 'it was refused, but decisions changed');
    } else {
      taken += 1;
    }
  });
  await client.close({ timeout: 1 });
  ok(taken > RUNS / 20, `only ${taken} were taken: the mutations are too coarse`);
}

async function decided(client: TargetClient, request: DeliveryRequest): Promise<string> {
  const { response } = await client.getOffers({ request });
  return JSON.stringify([response.execute, response.prefetch]);
}

async function fuzzResponses(): Promise<void> {
  let text = '';
  const client = connect(() => new Response(text));
  const input = fc.oneof(
    mutatedText(JSON.stringify(RESPONSE)),
    mutated(RESPONSE, anyJson).map((make) => JSON.stringify(make()) ?? ''),
  );
  let answered = 0;
  await fuzz(input, async (next) => {
    text = next;
    const came = await survive(() => client.getOffers({ request: HERO }));
    if (came instanceof TargetError) {
      ok(came.code !== 'ERR_TARGET_INVALID_REQUEST', `it blames the caller: ${shownBy(came)}`);
    } else {
      answered += 1;
    }
    const attributes = await survive(() => client.getAttributes(['flags']));
    if (attributes instanceof TargetError) {
      ok(attributes.code !== 'ERR_TARGET_INVALID_REQUEST', `it blames the caller: ${shownBy(attributes)}`);
      return;
    }
    equal(attributes.getValue('nowhere', 'toString', 'fallback'), 'fallback');
    attributes.asObject();
    JSON.stringify(attributes);
  });
  await client.close();
  ok(answered > RUNS / 20, `only ${answered} were answers: the mutations are too coarse`);
}

/** Cookies that would name a host: none is ever asked, for this visitor or a later one. */
async function checkHosts(): Promise<void> {
  const hosts: string[] = [];
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    fetchApi: async (url) => {
      hosts.push(new URL(url).host);
      return jsonAnswer({ status: 200, edgeHost: 'mboxedge35.tt.omtrdc.net.evil.example' });
    },
  });
  for (const sign of ['/', '@', '#', '?', ':', '\\', '%2f', '.', '\r\n', '\u{2028}', '１']) {
    for (const hint of [
      `35${sign}evil.example`,
      `evil.example${sign}`,
      `${sign}evil.example${sign}`,
      `35${sign}`,
    ]) {
      const targetCookie = `PC#visitor.${hint}_0#4102444800`;
      await survive(() => client.getOffers({ request: HERO, targetCookie }));
      await survive(() =>
        client.getOffers({ request: HERO, targetCookie: encodeURIComponent(targetCookie) }),
      );
      await survive(() => client.getOffers({ request: HERO, targetLocationHint: hint }));
      await survive(() => client.getOffers({ request: HERO }));
    }
  }
  await client.close();
  deepEqual(
    [...new Set(hosts)].filter(
      (host) => host !== 'demo.tt.omtrdc.net' && host !== 'mboxedge35.tt.omtrdc.net',
    ),
    [],
  );
}

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
];

async function checkParameters(): Promise<void> {
  const { edge, local, close } = bothClients();
  for (const name of [
    ...NAMES.flatMap((one) => [one, `${one}.x`, `a.${one}.x`, `${one}.${one}.x`]),
    'constructor.prototype.x',
  ]) {
    const parameters = JSON.parse(`{${JSON.stringify(name)}:"polluted"}`);
    const request = {
      execute: {
        mboxes: [{ name: 'hero', parameters, profileParameters: parameters }],
        pageLoad: { parameters },
      },
    };
    for (const client of [edge, local]) {
      const came = await survive(() => client.getOffers({ request }), [request]);
      ok(!(came instanceof TargetError), `${name}: ${shownBy(came)}`);
    }
  }
  await close();
  equal(({} as { x?: unknown }).x, undefined);
}

async function checkNames(): Promise<void> {
  const { edge, local, close } = bothClients();
  for (const name of NAMES) {
    const request = { execute: { mboxes: [{ name }] }, prefetch: { views: [{ name }] } };
    for (const client of [edge, local]) {
      const came = await survive(() => client.getOffers({ request }), [request]);
      ok(!(came instanceof TargetError), `${name}: ${shownBy(came)}`);
      if (client === local) {
        ok(came.meta.remoteMboxes.includes(name) && came.meta.remoteViews.includes(name), `${name} is known`);
      }
      const attributes = await client.getAttributes([name]);
      equal(attributes.getValue(name, name, 'fallback'), 'fallback');
      deepEqual(attributes.asObject(name), {});
    }
  }
  await close();
  // And the same names where the artifact does know them.
  const mboxes = Object.fromEntries(NAMES.map((name) => [name, [rule(name, { shows: `shown in ${name}` })]]));
  const rules = JSON.parse(JSON.stringify(mboxes).replace(/"__proto__X"/g, '"__proto__"'));
  const known = connect(() => jsonAnswer(ANSWER), {
    decisioningMethod: 'on-device',
    pollingInterval: 0,
    artifactPayload: JSON.parse(
      JSON.stringify(artifactOf(rules, rules, { localMboxes: NAMES, localViews: NAMES })),
    ),
  });
  for (const name of NAMES) {
    const { response } = await known.getOffers({
      request: { prefetch: { mboxes: [{ name }], views: [{ name }] } },
    });
    equal(response.prefetch?.mboxes?.[0]?.options?.[0]?.content, `shown in ${name}`);
    equal(response.prefetch?.views?.[0]?.options?.[0]?.content, `shown in ${name}`);
  }
  await known.close();
}

async function checkAttributeKeys(): Promise<void> {
  const content = `{${NAMES.map((name) => `${JSON.stringify(name)}:{"x":1}`).join()}}`;
  const answer = `{"status":200,"execute":{"mboxes":[{"name":"flags","options":[{"type":"json","content":${content}}]}]}}`;
  const client = connect(() => new Response(answer));
  const attributes = await client.getAttributes(['flags']);
  for (const name of NAMES) {
    deepEqual(attributes.getValue('flags', name), { x: 1 });
  }
  deepEqual(Object.keys(attributes.asObject('flags')).sort(), [...NAMES].sort());
  equal(({} as { x?: unknown }).x, undefined);
  await client.close();
}

async function checkEncoding(): Promise<void> {
  const { edge, local, close } = bothClients();
  const broken = ['%', '%E0%A4%A', '%zz', '%c0%ae', 'session#%E0%A4%A#4102444800|PC#visitor.35_0#4102444800'];
  for (const client of [edge, local]) {
    for (const cookie of broken) {
      const came = await survive(() =>
        client.getOffers({
          request: HERO,
          targetCookie: cookie,
          visitorCookie: cookie,
          targetLocationHint: cookie,
        }),
      );
      ok(!(came instanceof TargetError), `${cookie}: ${shownBy(came)}`);
    }
    const { response } = await client.getOffers({ request: HERO, targetCookie: broken.at(-1) });
    if (client === local) {
      equal(response.id?.tntId, 'visitor.35_0', 'the part beside the broken one is lost');
    }
  }
  await close();
}

async function checkTimeouts(): Promise<void> {
  const { edge, close } = bothClients();
  for (const timeout of [Number.POSITIVE_INFINITY, 2 ** 31, Number.NaN, -5, 0, '1000 ms', null] as const) {
    const config = { client: 'demo', organizationId: 'DEMO@AdobeOrg', timeout: timeout as number };
    // Null stands for absence.
    if (timeout === null) {
      TargetClient.create(config);
    } else {
      try {
        TargetClient.create(config);
      } catch (error) {
        ok(
          error instanceof TargetError &&
            error.code === 'ERR_TARGET_INVALID_CONFIG' &&
            error.path === 'timeout',
          shownBy(error),
        );
        continue;
      }
      throw new Error(`timeout ${timeout} was taken`);
    }
    await edge.getOffers({ request: HERO });
  }
  await close();
}

async function checkConfigOption(): Promise<void> {
  const hosts: string[] = [];
  const warnings: string[] = [];
  const answer = (url: URL) => {
    hosts.push(url.host);
    return jsonAnswer(ANSWER);
  };
  const client = connect(answer, {
    logger: { warn: (line: unknown) => void warnings.push(String(line)) },
  });
  const config = {
    client: 'evil',
    serverDomain: 'evil.example',
    fetchApi: () => Promise.reject(new Error('replaced')),
  };
  await client.getOffers({
    request: HERO,
    config,
    serverDomain: 'evil.example',
    fetchApi: config.fetchApi,
  } as never);
  deepEqual(hosts, ['mboxedge35.tt.omtrdc.net']);
  ok(
    warnings.some((line) => line.includes('"config"')),
    'no warning',
  );
  await client.close();
}

async function checkShapes(): Promise<void> {
  const { edge, local, close } = bothClients();
  const cycle: Record<string, unknown> = { name: 'hero' };
  cycle.parameters = cycle;
  let deep: unknown = {};
  for (let level = 0; level < 100_000; level += 1) {
    deep = { deep };
  }
  const throws = Object.defineProperty({}, 'name', {
    enumerable: true,
    get: () => {
      throw new Error('a getter');
    },
  });
  for (const mbox of [
    cycle,
    { name: 'hero', parameters: deep },
    { name: 'hero', order: { total: 10n } },
    throws,
  ]) {
    const request = { execute: { mboxes: [mbox] } };
    for (const client of [edge, local]) {
      const came = await survive(
        () => client.getOffers({ request } as never),
        mbox === throws ? [] : [cycle],
      );
      ok(
        came instanceof TargetError && came.code === 'ERR_TARGET_INVALID_REQUEST',
        `it came to ${shownBy(came)}`,
      );
      ok(came.path?.startsWith('execute.mboxes[0]'), `the path is ${came.path}`);
    }
  }
  const frozen = Object.freeze({
    execute: Object.freeze({ mboxes: Object.freeze([Object.freeze({ name: 'hero' })]) }),
  });
  for (const client of [edge, local]) {
    await client.getOffers(Object.freeze({ request: frozen }));
  }
  await close();
}

const RUNS_SHOWN = RUNS.toLocaleString('en').replace(',', ' ');

/** The second table of the matrix. */
export const HOSTILE_CHECKS: readonly Check[] = [
  {
    input: 'mbox or hint cookie with `/`, `@`, `#`, `?`, `:` in the cluster',
    ours: 'The hint is digits or nothing. No other visitor gets it.',
    run: checkHosts,
  },
  {
    input: 'parameters named `__proto__.x`, `constructor.prototype.x`',
    ours: 'They are plain data. No prototype changes.',
    run: checkParameters,
  },
  { input: 'broken percent-encoding in a cookie', ours: 'That part is skipped.', run: checkEncoding },
  {
    input: 'cookies of 1 MB, with thousands of segments, with impossible expiry times',
    ours: 'Work is limited, and linear.',
    run: () => linear('cookies'),
  },
  {
    input: 'attribute keys named `__proto__`, `toString`',
    ours: 'They are plain data.',
    run: checkAttributeKeys,
  },
  {
    input: 'user agent, URL, client hints, IP text of 1 MB',
    ours: 'Work is limited, and linear.',
    run: () => linear('context'),
  },
  {
    input: 'parameters and names of 1 MB',
    ours: 'Work is limited, and linear.',
    run: () => linear('request'),
  },
  {
    input: 'mbox, view or attribute named `constructor`, `__proto__`, `toString`',
    ours: 'It is a name like any other.',
    run: checkNames,
  },
  {
    input: '`timeout` of Infinity, 2^31, NaN, -5',
    ours: '`create` throws `ERR_TARGET_INVALID_CONFIG`.',
    run: checkTimeouts,
  },
  {
    input: 'a per-call option named `config`',
    ours: 'It is ignored, with a warning.',
    run: checkConfigOption,
  },
  {
    input: 'cycles, BigInt, getters that throw, deep nesting, frozen objects',
    ours: '`ERR_TARGET_INVALID_REQUEST` names the path. Frozen objects work. No object of the caller changes.',
    run: checkShapes,
  },
  {
    input: '`</script>` in offers that are written into a page',
    ours: 'The text of `toInlineJson` is safe in HTML, and has the same value.',
    run: checkInlineJson,
  },
];

/** What chance finds in what visitors send. */
export const MUTATED_INPUT_CHECKS: readonly Check[] = [
  {
    input: `${RUNS_SHOWN} mutated requests`,
    ours: 'Each call gives a result, or a `TargetError` with code and path.',
    run: fuzzRequests,
  },
  {
    input: `${RUNS_SHOWN} mutated cookies`,
    ours: 'Each call gives a result, or a `TargetError` with code and path.',
    run: fuzzCookies,
  },
];

/** What chance finds in what comes over the network. */
export const MUTATED_ANSWER_CHECKS: readonly Check[] = [
  {
    input: `${RUNS_SHOWN} mutated artifacts`,
    ours: 'Each is taken, or it is refused and decisions stay as before.',
    run: fuzzArtifacts,
  },
  {
    input: `${RUNS_SHOWN} mutated delivery responses`,
    ours: 'Each call gives a result, or a `TargetError` that names the answer as the fault.',
    run: fuzzResponses,
  },
];
