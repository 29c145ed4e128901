import { expect, test } from '@jest/globals';
import { createVisit, toBeacon, toHandOver } from '../../src/adapters/http.js';
import { clicked, displayed, type TargetDeliveryResponse, TargetError } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { Browser } from '../visits/browser.js';
import { targetErrorOf, withEdge } from '../with-edge.js';

const bench = withEdge({
  offers: {
    mboxes: { hero: { options: html('hero'), metrics: [{}] } },
    pageLoad: { options: html('page'), metrics: [{ selector: '#buy' }] },
    views: { cart: { options: html('cart'), metrics: [{ selector: '#buy' }] } },
  },
});

const PARTS = { mboxes: [{ name: 'hero' }], pageLoad: {} };
const REQUEST = { execute: PARTS, prefetch: { ...PARTS, views: [{ name: 'cart' }] } };

/** Everything in the package that reads an answer which the program had in its hands. */
const READERS: readonly [string, (answer: TargetDeliveryResponse) => unknown][] = [
  ['displayed', displayed],
  ['clicked in an mbox', (answer) => clicked(answer, { mbox: 'hero' })],
  ['clicked in a view', (answer) => clicked(answer, { view: 'cart', pageLoad: true, selector: '#buy' })],
  ['toBeacon', toBeacon],
  ['toHandOver', (answer) => toHandOver(answer).script('abc')],
];

function fail(): never {
  throw new Error('a getter of the program');
}
const WRONG: readonly unknown[] = [
  null,
  5,
  'text',
  true,
  [],
  {},
  [null],
  [[]],
  Symbol('name'),
  10n,
  () => 1,
  { toJSON: fail },
  new Proxy({}, { get: fail }),
  Object.defineProperties({}, { options: { get: fail, enumerable: true }, name: { get: fail } }),
];

type Path = readonly string[];

function pathsIn(value: unknown, path: Path = []): Path[] {
  const inner = typeof value === 'object' && value !== null && path.length < 7 ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([name, child]) => pathsIn(child, [...path, name]))];
}

function changed<Answer extends object>(answer: Answer, path: Path, to: unknown): Answer {
  const copy = structuredClone(answer);
  const owner = path.slice(0, -1).reduce<object>((found, name) => Reflect.get(found, name), copy);
  Reflect.set(owner, path.at(-1) ?? '', to);
  return copy;
}

test.each(READERS)('%s reads any answer, or says that the answer is wrong', async (_, read) => {
  const answer = await bench.connect().getOffers({ request: REQUEST });
  for (const path of pathsIn(answer).slice(1)) {
    for (const wrong of WRONG) {
      try {
        read(changed(answer, path, wrong));
      } catch (error) {
        expect(error).toBeInstanceOf(TargetError);
        expect(error).toMatchObject({ path: 'answer' });
      }
    }
  }
});

test.each(READERS)('%s names the answer when a getter throws, with what was thrown', async (_, read) => {
  const answer = await bench.connect().getOffers({ request: REQUEST });
  const error = await targetErrorOf(() => read(changed(answer, ['response'], new Proxy({}, { get: fail }))));
  expect(error).toMatchObject({ path: 'answer', cause: { message: 'a getter of the program' } });
});

test('an answer that was changed hands over what is left of it', async () => {
  const visit = createVisit(bench.connect(), new Browser().request());
  const answer = await visit.getOffers({ request: REQUEST });
  const views = answer.response.prefetch?.views ?? [];
  Object.assign(answer.request.prefetch ?? {}, { mboxes: [null, { name: Symbol('name') }] });
  Object.assign(answer.response.prefetch ?? {}, { views: [null, ...views] });
  const { serverState } = JSON.parse(visit.handOver().json);
  expect(serverState.response.prefetch.views).toMatchObject([{ name: 'cart' }]);
});

test('a selector that is no text counts as none', async () => {
  const answer = await bench.connect().getOffers({ request: REQUEST });
  const path = ['response', 'prefetch', 'views', '0', 'metrics', '0', 'selector'];
  const entries: { view?: object; targetClick?: string[] }[] = JSON.parse(toBeacon(changed(answer, path, 5)));
  expect(entries.find(({ view, targetClick }) => view && targetClick)?.targetClick).toEqual(['cart']);
});
