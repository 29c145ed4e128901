import { describe, expect, jest, test } from '@jest/globals';
import { toArtifact } from '../../../src/artifact.js';
import { evaluate } from '../../../src/on-device/evaluate.js';
import { compileArtifact } from '../../../src/on-device/rules/compile.js';
import * as conditions from '../../../src/on-device/rules/condition.js';
import { artifactOf, rule } from '../../tools/artifacts.js';

const context = {
  allocation: 12,
  current_timestamp: 0,
  current_time: '',
  current_day: 0,
  user: undefined,
  page: undefined,
  referring: undefined,
  geo: undefined,
  mbox: { list: 'x' },
};

const artifact = toArtifact({ ...artifactOf({ hero: [rule('a'), rule('b')] }), localMboxes: ['hero'] });

describe('a watch', () => {
  test('sees each part of a condition once, the parts before the whole', () => {
    const seen: unknown[] = [];
    const condition = { and: [{ '<=': [0, { var: 'allocation' }] }, { '!': { var: 'mbox.no' } }] };
    conditions.compileCondition(condition, (written, run) => {
      seen.push(written);
      return run;
    });
    expect(seen.map((part) => JSON.stringify(part))).toEqual([
      '0',
      '"allocation"',
      '{"var":"allocation"}',
      '{"<=":[0,{"var":"allocation"}]}',
      '"mbox.no"',
      '{"var":"mbox.no"}',
      '{"!":{"var":"mbox.no"}}',
      JSON.stringify(condition),
    ]);
  });

  test('is told which parts are inside the function of an iteration', () => {
    const inside: unknown[] = [];
    const condition = { some: [{ var: 'mbox.list' }, { '==': [{ var: '' }, 'x'] }] };
    conditions.compileCondition(condition, (written, run, inner) => {
      if (inner && typeof written === 'object') {
        inside.push(written);
      }
      return run;
    });
    expect(inside).toEqual([{ var: '' }, { '==': [{ var: '' }, 'x'] }]);
  });

  test('decides what a part returns', () => {
    const compiled = conditions.compileCondition({ '==': ['x', { var: 'mbox.list' }] }, (written, run) =>
      JSON.stringify(written) === '{"var":"mbox.list"}' ? () => 'y' : run,
    );
    expect(compiled?.holds(context)).toBe(false);
    expect(conditions.compileCondition({ '==': ['x', { var: 'mbox.list' }] })?.holds(context)).toBe(true);
  });

  test('makes compiled rules keep what is written; without it they forget', () => {
    const watched = compileArtifact(artifact, { client: 'acme', watch: (_, run) => run });
    const plain = compileArtifact(artifact, { client: 'acme' });
    expect(watched.mbox('hero').rules.map(({ written }) => written)).toEqual(artifact.rules.mboxes?.hero);
    expect(plain.mbox('hero').rules.map(({ written }) => written)).toEqual([undefined, undefined]);
    expect([plain.mbox('hero').kind, plain.view('home').kind]).toEqual(['mbox', 'view']);
  });

  test('is not in the conditions of a client', async () => {
    const watches: unknown[] = [];
    jest.resetModules();
    jest.doMock('../../../src/on-device/rules/condition.js', () => ({
      ...conditions,
      compileCondition: (condition: unknown, watch?: conditions.Watch) => {
        watches.push(watch);
        return conditions.compileCondition(condition, watch);
      },
    }));
    const { TargetClient } = await import('../../../src/index.js');
    const client = TargetClient.create({
      client: 'acme',
      organizationId: '0123456789ABCDEF01234567@AdobeOrg',
      decisioningMethod: 'on-device',
      artifactPayload: artifact,
      telemetryEnabled: false,
    });
    await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
    await client.close();
    expect(watches.length).toBeGreaterThan(0);
    expect(new Set(watches)).toEqual(new Set([undefined]));
  });
});

test("a tool's recorder is told of locations, rules and answers, in place of the trace", () => {
  const told: string[] = [];
  const { prefetch } = evaluate(
    { trace: { authorizationToken: 't' }, prefetch: { mboxes: [{ name: 'hero', index: 3 }] } },
    compileArtifact(artifact, { client: 'acme' }),
    {
      nowMs: 0,
      sessionId: 's',
      newId: () => 'id',
      recorder: (mode) => ({
        noteLocation: (location, request) => {
          told.push(`${mode} ${location.kind} ${location.name} ${JSON.stringify(request)}`);
        },
        noteRule: (_, holds) => {
          told.push(`asked, ${holds}`);
        },
        noteAnswer: () => {
          told.push('answered');
        },
        draft: () => undefined,
      }),
    },
  );
  expect(told).toEqual(['prefetch mbox hero {"name":"hero","index":3}', 'asked, true', 'answered']);
  expect(prefetch?.mboxes?.[0]).not.toHaveProperty('trace');
});
