import { expect, test } from '@jest/globals';
import { needsEdge } from '../../src/decide.js';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { remoteDependency } from '../../src/on-device/remote-dependency.js';
import { compileArtifact } from '../../src/on-device/rules/compile.js';
import { artifactOf, rule } from '../fixtures/rules.js';

const GLOBAL = 'target-global-mbox';
const artifact = artifactOf(
  { local: [rule('local')], both: [rule('both')] },
  { home: [rule('home')], strange: [rule('strange', { when: { telepathy: [] } })] },
  {
    remoteMboxes: ['remote 1', 'both', 'remote 2'],
    localMboxes: ['local', 'both', 'without rules'],
    remoteViews: ['far 1', 'far 2'],
    localViews: ['home', 'strange', 'without rules'],
  },
);
const compiled = compileArtifact(artifact, { client: 'acme' });
const mboxes = (...names: string[]) => names.map((name, index) => ({ name, index }));
const views = (...names: string[]) => names.map((name) => ({ name }));

test.each<[what: string, request: DeliveryRequest, remoteMboxes: string[], remoteViews: string[]]>([
  ['nothing of a local mbox', { execute: { mboxes: mboxes('local') } }, [], []],
  ['nothing of a local mbox without rules', { prefetch: { mboxes: mboxes('without rules') } }, [], []],
  ['an mbox that is listed', { execute: { mboxes: mboxes('local', 'remote 1') } }, ['remote 1'], []],
  ['an mbox that is listed as both', { prefetch: { mboxes: mboxes('both') } }, ['both'], []],
  ['an mbox that nobody knows', { execute: { mboxes: mboxes('unknown') } }, ['unknown'], []],
  ['a page load, which is the global mbox', { execute: { pageLoad: {} } }, [GLOBAL], []],
  ['a prefetched page load', { prefetch: { pageLoad: {} } }, [GLOBAL], []],
  ['nothing of a local view', { prefetch: { views: views('home', 'without rules') } }, [], []],
  ['a view that is listed', { prefetch: { views: views('home', 'far 1') } }, [], ['far 1']],
  ['a view that nobody knows', { prefetch: { views: views('unknown') } }, [], ['unknown']],
  ['a view whose rules nobody understands', { prefetch: { views: views('strange') } }, [], ['strange']],
  ['all such views when no name is given', { prefetch: { views: [{}] } }, [], ['far 1', 'far 2', 'strange']],
  [
    'those and the named ones',
    { prefetch: { views: [{ name: 'unknown' }, {}] } },
    [],
    ['far 1', 'far 2', 'unknown', 'strange'],
  ],
  [
    'each name once: listed ones first, then in the order of the request, prefetch first',
    {
      execute: { mboxes: mboxes('x', 'remote 2', 'x'), pageLoad: {} },
      prefetch: {
        mboxes: mboxes('y', 'both', 'remote 2', 'x'),
        views: views('b', 'far 2', 'a', 'b', 'far 1'),
      },
    },
    ['both', 'remote 2', 'y', 'x', GLOBAL],
    ['far 1', 'far 2', 'b', 'a'],
  ],
])('the edge is needed for %s', (_what, request, remoteMboxes, remoteViews) => {
  const dependency = remoteDependency(request, compiled);
  expect(dependency).toEqual({ remoteMboxes, remoteViews });
  expect(needsEdge(dependency)).toBe(remoteMboxes.length + remoteViews.length > 0);
});

test('what is answered belongs to the caller', () => {
  const request = { prefetch: { views: [{}] } };
  (remoteDependency(request, compiled).remoteViews as string[]).length = 0;
  expect(remoteDependency(request, compiled).remoteViews).toEqual(['far 1', 'far 2', 'strange']);
  expect(artifact.remoteViews).toEqual(['far 1', 'far 2']);
});
