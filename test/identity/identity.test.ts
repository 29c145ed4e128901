import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TargetError } from '../../src/errors.js';
import {
  drawSupplementalDataId,
  type Identity,
  type IdentityOptions,
  toIdentity,
} from '../../src/identity/identity.js';
import { Visitor } from '../../src/identity/visitor.js';

const NOW = 1_700_000_000_000;
const LIVE = NOW / 1000 + 60;
const PAST = NOW / 1000 - 60;
const CONFIG = { organizationId: 'DEMO@AdobeOrg' };
const NEW_SESSION = '0123456789abcdef0123456789abcdef';
const NEW_SDID = '0123456789ABCDEF-0123456789ABCDEF';
const IDS = { newUuid: () => 'uuid', newHexId: () => NEW_SESSION, newSupplementalDataId: () => NEW_SDID };

/** Options as a program without types may write them. */
const identityOf = (options: object, warnings: unknown[] = []): Identity => {
  const logger = { warn: (line: unknown) => void warnings.push(line) };
  return toIdentity(options as IdentityOptions, { config: CONFIG, logger }, NOW, IDS);
};

describe('toIdentity', () => {
  test('of nothing is a new visitor', () => {
    expect(identityOf({})).toEqual({
      visitor: expect.any(Visitor),
      consumerId: 'target-global-mbox',
      sessionId: NEW_SESSION,
      encodedSessionId: NEW_SESSION,
      tntId: undefined,
      ecid: undefined,
      customerIds: [],
      heldCustomerIds: [],
      locationHint: undefined,
      audienceManager: undefined,
    });
  });

  test('of everything is plain data', () => {
    const { visitor, ...identity } = identityOf({
      targetCookie: `session#s%7C1#${LIVE}|PC#abc.28_0#${LIVE}`,
      targetLocationHint: '35',
      visitorCookie: 'MCMID|777|MCAAMLH-1|9|MCAAMB-1|blob',
      consumerId: 'page',
      customerIds: { crm: { id: 5, authState: 'authenticated' } },
      sessionId: 'mine',
    });
    expect(identity).toEqual({
      consumerId: 'page',
      sessionId: 's|1',
      encodedSessionId: 's%7C1',
      tntId: 'abc.28_0',
      ecid: '777',
      customerIds: [{ id: '5', integrationCode: 'crm', authenticatedState: 'authenticated' }],
      heldCustomerIds: [],
      locationHint: '28',
      audienceManager: { locationHint: 9, blob: 'blob' },
    });
    expect(visitor.getState()).toMatchObject({
      [CONFIG.organizationId]: { customerIDs: { crm: { id: '5', authState: 1 } } },
    });
  });

  test('draws no supplemental data id: that is the last step of a call', () => {
    const visitor = new Visitor('ORG');
    identityOf({ visitor });
    expect(visitor.getState()).toMatchObject({ ORG: { sdid: { supplementalDataIDCurrentConsumed: {} } } });
  });
});

describe('drawSupplementalDataId', () => {
  test('asks once a call, for the consumer', () => {
    const visitor = new Visitor('ORG');
    const identity = identityOf({ visitor, consumerId: 'a' });
    const [first, second] = [
      drawSupplementalDataId(identity, undefined),
      drawSupplementalDataId(identity, undefined),
    ];
    expect(first).not.toBe(second);
    expect(visitor.getState()).toMatchObject({
      ORG: { sdid: { supplementalDataIDCurrent: second, supplementalDataIDLast: first } },
    });
  });

  test('of a request that has one is that', () => {
    const given = 'A'.repeat(16).concat('-', 'B'.repeat(16));
    expect(drawSupplementalDataId(identityOf({}), given)).toBe(given);
  });

  test.each([undefined, null, 5, {}, '', 'too short', 'x'.repeat(33), 'x'.repeat(34)])(
    'of a visitor that says %p is none',
    (said) => {
      const visitor = { getState: () => 0, getVisitorValues: () => 0, getSupplementalDataID: () => said };
      expect(drawSupplementalDataId(identityOf({ visitor }), undefined)).toBeUndefined();
    },
  );
});

/** An error that only the caller's own object can have thrown. */
class OwnError extends Error {}

function fail(): never {
  throw new OwnError('of the caller');
}

const nonsense = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 0, Number.NaN, true, [], {}, () => 1, Symbol('s'), 5n),
  fc.string(),
  fc.object(),
);
const expiry = fc.constantFrom(`${LIVE}`, `${PAST}`, `${NOW / 1000}`, 'soon', '');
const id = fc.oneof(
  fc.constantFrom('abc.28_0', 'abc.35_1', 'abc.evil', '', '%E0%A4%A', 'é', 'a b'),
  fc.string(),
);
const part = fc
  .tuple(fc.constantFrom('session', 'PC', 'mboxEdgeCluster', '__proto__'), id, expiry)
  .map((fields) => fields.join('#'));
const encodings = fc.constantFrom(
  (text: string) => text,
  (text: string) => encodeURIComponent(text),
  (text: string) => encodeURIComponent(encodeURIComponent(text)),
);
const cookieOf = (pieces: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(pieces, { maxLength: 4 }), encodings)
    .map(([parts, encode]) => encode(wellFormed(parts.join('|'))));
const wellFormed = (text: string) => text.replace(/[\ud800-\udfff]/g, '');
const targetCookie = cookieOf(part);
const visitorCookie = cookieOf(
  fc
    .tuple(
      fc.constantFrom('MCMID', 'MCAAMLH-1', 'MCAAMB-1', 'constructor'),
      fc.oneof(fc.constantFrom('12', '9', 'NONE'), fc.string()),
    )
    .map((pair) => pair.join('|')),
);
const state = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 2, '1', 'AUTHENTICATED', 'unknown', undefined, null, 3),
  nonsense,
);
const customerId = fc.oneof(
  fc.record({
    id: fc.oneof(fc.nat(), fc.string(), fc.constant('x'.repeat(129)), nonsense),
    authState: state,
  }),
  fc.record({ id: fc.oneof(fc.nat(), fc.string()), integrationCode: fc.string(), authenticatedState: state }),
  fc.nat(),
  nonsense,
);
const customerIds = fc.oneof(fc.dictionary(fc.string(), customerId), fc.array(customerId), nonsense);
const method = fc.oneof(
  fc.constantFrom<unknown>(
    fail,
    () => undefined,
    () => ({ MCMID: 12, MCAAMLH: '9', MCAAMB: {} }),
  ),
  nonsense.map((value) => () => value),
);
const visitorObject = fc.oneof(
  fc.record({
    getState: method,
    getVisitorValues: method,
    getSupplementalDataID: method,
    setCustomerIDs: method,
  }),
  fc.constant(undefined),
  fc.constant({
    getState: fail,
    getVisitorValues: () => ({
      get MCMID() {
        return fail();
      },
    }),
    getSupplementalDataID: fail,
  }),
  fc.constant(null).map(() => new Visitor('ORG')),
  nonsense,
);
/** Values of other types are errors, so that most must be right for an identity to come of them. */
const mostly = (right: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: nonsense });
const optionsShape = fc.record(
  {
    targetCookie: mostly(targetCookie),
    targetLocationHint: mostly(fc.constantFrom<unknown>('35', '12345', '35/', 35)),
    targetLocationHintCookie: mostly(fc.constantFrom<unknown>('36', { value: '36' })),
    visitorCookie: mostly(visitorCookie),
    consumerId: mostly(fc.string()),
    customerIds,
    sessionId: fc.oneof(fc.constantFrom<unknown>('mine', 'a/b', '', undefined, 5), nonsense),
    visitor: visitorObject,
  },
  { requiredKeys: [] },
);

/** The same options as a literal, frozen, of a class, and behind getters. */
const optionsOf = fc
  .tuple(optionsShape, fc.constantFrom('plain', 'class', 'getters'))
  .map(([fields, kind]) => {
    if (kind === 'plain') {
      return Object.freeze(fields);
    }
    if (kind === 'class') {
      return Object.assign(new (class Options {})(), fields);
    }
    const getters = Object.entries(fields).map(([name, value]) => [
      name,
      { get: () => value, enumerable: true },
    ]);
    return Object.defineProperties({}, Object.fromEntries(getters)) as typeof fields;
  });

/** Spec-like reading of one cookie, written another way than the codec: the last live part of a name that decodes. */
function partOf(cookie: unknown, name: string): string | undefined {
  if (typeof cookie !== 'string') {
    return undefined;
  }
  const unquoted = [1, 2, 3].reduce((text) => /^("|%22|%2522)(.*)\1$/s.exec(text)?.[2] ?? text, cookie);
  const isPlain = (text: string | undefined) => text === undefined || text.includes('#');
  const once = isPlain(unquoted) ? unquoted : decoded(unquoted);
  const plain = once === undefined || isPlain(once) ? once : decoded(once);
  const found = (plain?.split('|') ?? [])
    .map((text) => text.split('#').map(decoded))
    .filter(([key, value, expires]) => key === name && value && value.length <= 128 && isLive(expires));
  return found.at(-1)?.[1];
}

const isLive = (expires: string | undefined) =>
  /^\d{1,15}$/.test(expires ?? '') && Number(expires) >= NOW / 1000;
/** What a text or number may stand for; undefined for any other value. */
const textOf = (value: unknown) =>
  typeof value === 'string' || Number.isFinite(value) ? String(value) : undefined;
/** The value of a cookie, or what stands for itself. */
const cookieValue = (option: unknown) =>
  textOf(typeof option === 'object' && option !== null ? Reflect.get(option, 'value') : option);
const isSession = (value: string) => /^[!-~]{1,128}$/.test(value) && !/[?/]/.test(value);

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function expectIdentity(identity: Identity, options: Record<string, unknown>): void {
  const tntId = partOf(options.targetCookie, 'PC');
  const ofCookie = partOf(options.targetCookie, 'session');
  const isOfCookie = ofCookie !== undefined && isSession(ofCookie);
  const session = isOfCookie ? ofCookie : textOf(options.sessionId) || NEW_SESSION;
  const hint = /\.(\d{1,4})_\d{1,4}$/.exec(tntId ?? '')?.[1];
  const written = [options.targetLocationHint, options.targetLocationHintCookie];
  expect(identity).toMatchObject({
    sessionId: session,
    encodedSessionId: encodeURIComponent(String(session)),
    tntId,
    locationHint: hint ?? written.map(cookieValue).find((one) => /^\d{1,4}$/.test(one ?? '')),
  });
  for (const { id: sent, integrationCode, authenticatedState } of identity.customerIds) {
    expect(typeof sent === 'string' && sent.length <= 128).toBe(true);
    expect(typeof integrationCode === 'string' && integrationCode.length <= 50).toBe(true);
    expect(['unknown', 'authenticated', 'logged_out']).toContain(authenticatedState);
  }
  expect(identity.ecid ?? '1').toEqual(expect.stringMatching(/^[\s\S]{1,128}$/));
  expect(identity.audienceManager?.locationHint ?? 1).toBeGreaterThan(0);
}

describe('whatever the options are', () => {
  test('an identity comes of them, or an error of ours, or what their own objects throw; they stay as they were', () => {
    let known = 0;
    fc.assert(
      fc.property(optionsOf, (options) => {
        const before = shown(options);
        try {
          const identity = identityOf(options);
          expectIdentity(identity, options);
          known += 1;
          const sdid = drawSupplementalDataId(identity, undefined);
          expect(sdid === undefined || sdid.length === 33).toBe(true);
        } catch (error) {
          if (!(error instanceof TargetError) && !(error instanceof OwnError)) {
            throw error;
          }
          if (error instanceof TargetError) {
            expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
          }
        }
        expect(shown(options)).toBe(before);
      }),
      { numRuns: 500 },
    );
    expect(known).toBeGreaterThan(25);
  });
});

/** Everything of the options but a visitor object, which is asked to learn something. */
function shown({ visitor: _, ...options }: Record<string, unknown>): string {
  return JSON.stringify(options, (_name, value: unknown) =>
    ['bigint', 'symbol', 'function', 'undefined'].includes(typeof value) ? String(value) : value,
  );
}
