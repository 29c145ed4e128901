import { expect, test } from '@jest/globals';
import type { Rule } from '../../../src/artifact.js';
import { compileArtifact } from '../../../src/on-device/rules/compile.js';
import { allocated, artifactOf, decideFrom, rule } from '../../fixtures/rules.js';

test.each<[what: string, malformed: unknown]>([
  ['without meta', { ...rule('hero'), meta: undefined }],
  ['without a consequence', { ...rule('hero'), consequence: null }],
  ['without a condition', { ...rule('hero'), condition: undefined }],
  ['with options that are no list', { ...rule('hero'), consequence: { options: 7 } }],
  ['with an option that is none', { ...rule('hero'), consequence: { options: [null] } }],
  ['with metrics that are no list', { ...rule('hero'), consequence: { metrics: {} } }],
  ['with property tokens that are no list', { ...rule('hero'), propertyTokens: 'token-a' }],
  ['without an id of its activity', { ...rule('hero'), activityId: undefined, meta: {} }],
  ['with an empty id of its activity', { ...rule('hero'), activityId: '', meta: { 'activity.id': '' } }],
  ['with an activity id of another type', { ...rule('hero'), activityId: { toString: 1 } }],
  ['with meta that is nested without end', { ...rule('hero'), meta: { 'offer.name': nested(100_000) } }],
  ['that is null', null],
  ['that is a text', 'rule'],
  ['that is a list', []],
])('a rule %s is left out and told of once, and its location is left to the edge', (_what, malformed) => {
  const good = rule('hero', { shows: 'good' });
  const compiled = compileArtifact(
    artifactOf({ hero: [malformed, good, malformed], other: [rule('other')] }),
    { client: 'acme' },
  );
  const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'other' }] } };
  const left: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { status, remoteMboxes, execute } = decideFrom(compiled, request);
    expect({ status, remoteMboxes }).toEqual({ status: 206, remoteMboxes: ['hero'] });
    expect(execute?.mboxes?.[0]?.options?.[0]?.content).toBe('good');
    left.push(...compiled.takeUndecidable());
  }
  expect(left).toEqual([{ kind: 'mbox', name: 'hero', undecidable: 2, rules: 3 }]);
});

test.each([undefined, null, ''])(
  'a rule with %p as activityId is decided by the id in its meta data, with the same allocation',
  (activityId) => {
    const halves = [0, 50].map((from) =>
      rule('hero', { activity: 125_873, experience: from, when: allocated(from, from + 50) }),
    );
    const whole = compileArtifact(artifactOf({ hero: halves }), { client: 'acme' });
    const bare = compileArtifact(artifactOf({ hero: halves.map((half) => ({ ...half, activityId })) }), {
      client: 'acme',
    });
    for (let visitor = 0; visitor < 50; visitor += 1) {
      const request = { id: { tntId: `visitor-${visitor}` }, execute: { mboxes: [{ name: 'hero' }] } };
      const { execute, status } = decideFrom(bare, request);
      expect(execute).toEqual(decideFrom(whole, request).execute);
      expect(status).toBe(200);
    }
    expect(bare.takeUndecidable()).toEqual([]);
  },
);

/** Lists in lists, so many levels of them. */
function nested(levels: number): never {
  let value: unknown = 'core';
  for (let i = 0; i < levels; i++) {
    value = [value];
  }
  return value as never;
}

test.each<[what: string, sketch: (content: never) => object]>([
  ['content', (content) => ({ options: [{ type: 'json', content }] })],
  ['an action', (content) => ({ options: [{ type: 'actions', content: [{ content }] }] })],
  ['a field of an option', (field) => ({ options: [{ type: 'html', content: 'x', field }] })],
  ['a metric', (field) => ({ metrics: [{ type: 'click', eventToken: 't', field }] })],
])('%s that is nested without end leaves its location to the edge, and no other', (_what, sketch) => {
  const hero = rule('hero', sketch(nested(100_000)));
  const compiled = compileArtifact(artifactOf({ hero: [hero], other: [rule('other', { shows: 'good' })] }), {
    client: 'acme',
  });
  const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'other' }] } };
  const left: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { status, remoteMboxes, execute } = decideFrom(compiled, request);
    expect({ status, remoteMboxes }).toEqual({ status: 206, remoteMboxes: ['hero'] });
    expect(execute?.mboxes?.[0]).toEqual({ name: 'hero', index: 0 });
    expect(execute?.mboxes?.[1]?.options?.[0]?.content).toBe('good');
    left.push(...compiled.takeUndecidable());
  }
  expect(left).toEqual([{ kind: 'mbox', name: 'hero', undecidable: 1, rules: 1 }]);
});

test('content that is nested as deeply as anybody would write it is decided here', () => {
  const content = nested(150);
  const artifact = artifactOf({ hero: [rule('hero', { options: [{ type: 'json', content }] })] });
  const { status, execute } = decideFrom(artifact, { execute: { mboxes: [{ name: 'hero' }] } });
  expect(status).toBe(200);
  expect(execute?.mboxes?.[0]?.options?.[0]?.content).toEqual(content);
});

test('a condition that is nested without end leaves its location to the edge', () => {
  let when: unknown = true;
  for (let i = 0; i < 50_000; i++) {
    when = { '!': [when] };
  }
  const { status, remoteViews } = decideFrom(artifactOf({}, { home: [rule('home', { when })] }), {
    prefetch: { views: [{ name: 'home' }] },
  });
  expect({ status, remoteViews }).toEqual({ status: 206, remoteViews: ['home'] });
});

test('a location is compiled when it is first asked for, and once', () => {
  let read = 0;
  const watched: Rule = rule('hero');
  const condition = { '==': [1, 1] };
  Object.defineProperty(watched, 'condition', {
    get: () => {
      read += 1;
      return condition;
    },
  });
  const compiled = compileArtifact(artifactOf({ hero: [watched] }), { client: 'acme' });
  expect(read).toBe(0);
  const first = compiled.mbox('hero');
  const readOnce = read;
  expect(compiled.mbox('hero')).toBe(first);
  decideFrom(compiled, { execute: { mboxes: [{ name: 'hero' }] } });
  expect(read).toBe(readOnce);
});

test('names that only requests know are not remembered', () => {
  const compiled = compileArtifact(
    artifactOf({ hero: [rule('hero'), rule('hero', { properties: ['p1'] })] }),
    { client: 'acme' },
  );
  expect(compiled.mbox('made up')).not.toBe(compiled.mbox('made up'));
  expect(compiled.mbox('made up').remote).toBe(true);
  const hero = compiled.mbox('hero');
  expect(hero.rulesFor('made up')).toBe(hero.rulesFor(undefined));
  expect(hero.rulesFor('p1')).toHaveLength(2);
});

test('the allocation of an activity depends on the client', () => {
  const artifact = artifactOf({ hero: [rule('hero')] });
  const prefixOf = (client: string) =>
    compileArtifact(artifact, { client }).mbox('hero').rulesFor(undefined)[0]?.activity;
  expect(prefixOf('acme')).toEqual(prefixOf('acme'));
  expect(prefixOf('acme')).not.toEqual(prefixOf('other'));
});
