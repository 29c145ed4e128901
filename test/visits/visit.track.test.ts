import { describe, expect, test } from '@jest/globals';
import { createVisit, type TrackOptions, type VisitOptions } from '../../src/adapters/http.js';
import type { TargetError } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { hero: html('hero') } } });
const ORDER = { order: { id: 'o-123', total: 49.9, purchasedProductIds: ['sku-7', 'sku-8'] } };
const deliveries = () => bench.edge.requestsTo('/rest/v1/delivery');

function visitOf(options?: VisitOptions, client = bench.connect()) {
  return { client, visit: createVisit(client, new Browser().request(), options) };
}

describe('track', () => {
  test('executes an mbox in the background, with its order', async () => {
    const { visit, client } = visitOf();
    expect(
      visit.track('orderConfirmPage', { ...ORDER, parameters: { a: 1 }, profileParameters: { b: 2 } }),
    ).toBe(undefined);
    await client.flush();
    expect(bench.received().violations).toEqual([]);
    expect(bench.sent().execute).toEqual({
      mboxes: [
        {
          name: 'orderConfirmPage',
          index: 0,
          ...ORDER,
          parameters: { a: '1' },
          profileParameters: { b: '2' },
        },
      ],
    });
    expect(bench.sent().context).toMatchObject({ address: { url: 'https://shop.example/' } });
  });

  test('goes to the edge with every decisioning method', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const { visit } = visitOf({}, client);
    visit.track('hero', ORDER);
    await client.flush();
    expect(deliveries().filter(({ delivery }) => delivery?.execute?.mboxes)).toHaveLength(1);
  });

  test('is of the visitor whom the calls of the page name', async () => {
    const { visit, client } = visitOf();
    const offer = visit.offer('hero', '');
    visit.track('orderConfirmPage', ORDER);
    await offer;
    await client.flush();
    const ids = deliveries().map(({ query, delivery }) => [query.sessionId, delivery?.id?.tntId]);
    expect(ids).toHaveLength(2);
    expect(ids[0]?.[0]).toBe(ids[1]?.[0]);
    expect(ids.filter(([, tntId]) => tntId === undefined)).toHaveLength(1);
  });

  test('is counted with the notifications, also when it is under way or has failed', async () => {
    const conversions: unknown[] = [];
    const { visit, client } = visitOf({ onError: (_, conversion) => conversions.push(conversion) });
    visit.track('orderConfirmPage', ORDER);
    expect(client.stats().notifications).toMatchObject({ accepted: 1, delivered: 0, queued: 1 });
    expect(await client.flush()).toMatchObject({
      accepted: 1,
      delivered: 1,
      failed: 0,
      dropped: 0,
      queued: 0,
    });
    bench.edge.fault({ kind: 'status', status: 403 });
    visit.track('orderConfirmPage', ORDER);
    expect(await client.flush()).toMatchObject({
      accepted: 2,
      delivered: 1,
      failed: 1,
      dropped: 0,
      queued: 0,
    });
    expect(conversions).toEqual([{ mbox: 'orderConfirmPage', ...ORDER }]);
    bench.edge.clearFaults();
    expect(await client.close()).toEqual({ delivered: 1, failed: 1, dropped: 0, handedOver: 0 });
  });

  test('is not counted for a page that counts nothing', async () => {
    const { visit, client } = visitOf({ consent: false });
    visit.track('orderConfirmPage', ORDER);
    expect(client.stats().notifications.accepted).toBe(0);
  });

  test('never makes the page of a new visitor wait', async () => {
    const { visit, client } = visitOf();
    visit.track('before');
    const offer = visit.offer('hero', '');
    visit.track('after');
    await offer;
    await client.flush();
    const [first, ...rest] = deliveries().map(({ delivery }) => delivery?.execute?.mboxes?.[0]?.name);
    expect(first).toBe('hero');
    expect(rest.toSorted()).toEqual(['after', 'before']);
  });

  test('has its own time after the call that names the visitor', async () => {
    bench.edge.fault({ kind: 'hang' }, { times: 1 });
    const client = bench.connect();
    const errors: TargetError[] = [];
    const { visit } = visitOf({ timeout: 500, onError: (error) => errors.push(error) }, client);
    const offer = visit.offer('hero', 'default');
    visit.track('order', ORDER);
    expect(await offer).toBe('default');
    await client.flush();
    expect(errors.map(({ code }) => code)).toEqual(['ERR_TARGET_TIMEOUT']);
    expect(deliveries().map(({ delivery }) => delivery?.execute?.mboxes?.[0]?.name)).toEqual([
      'hero',
      'order',
    ]);
  });

  test('counts each conversion of its own, also equal ones', async () => {
    const { visit, client } = visitOf();
    visit.track('addToCart', { parameters: { sku: '7' } });
    visit.track('addToCart', { parameters: { sku: '7' } });
    await client.flush();
    expect(deliveries()).toHaveLength(2);
  });

  test.each<[string, string, TrackOptions]>([
    ['mbox', '', {}],
    ['mbox', undefined as unknown as string, {}],
    ['options', 'a', 5 as unknown as TrackOptions],
    ['options', 'a', [] as TrackOptions],
    ['order.id', 'a', { order: { id: 'x'.repeat(300) } }],
    ['order.total', 'a', { order: { total: 'much' as unknown as number } }],
    ['parameters', 'a', { parameters: 5 as unknown as Record<string, string> }],
    ['profileParameters', 'a', { profileParameters: [] as unknown as Record<string, string> }],
  ])('throws at once for a wrong %s, and sends nothing', async (path, mbox, options) => {
    const { visit, client } = visitOf({ onError: () => undefined });
    const error = await targetErrorOf(() => visit.track(mbox, options));
    expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    expect(error.path?.startsWith(path)).toBe(true);
    expect(error.message).not.toContain('execute');
    await client.flush();
    expect(deliveries()).toEqual([]);
  });

  test('takes options that are getters of a class', async () => {
    class Purchase {
      get order() {
        return { id: 'o-7' };
      }
    }
    const { visit, client } = visitOf();
    visit.track('order', new Purchase());
    await client.flush();
    expect(bench.sent().execute?.mboxes).toMatchObject([{ name: 'order', order: { id: 'o-7' } }]);
  });

  test('reports a failure to onError, or as a warning', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const { lines, logger } = listeningLogger();
    const client = bench.connect({ logger });
    const errors: TargetError[] = [];
    visitOf({ onError: (error) => errors.push(error) }, client).visit.track('order', ORDER);
    visitOf({}, client).visit.track('order', ORDER);
    await client.flush();
    expect(errors.map(({ status }) => status)).toEqual([403]);
    expect(lines.warn.join()).toMatch(/the conversion of mbox 'order' was not counted: .*403/);
    expect(lines.warn.join()).not.toContain('o-123');
  });

  test('is handed to waitUntil: of the visit, else of the client', async () => {
    const given: [string, Promise<unknown>][] = [];
    const waitUntil = (who: string) => (work: Promise<unknown>) => void given.push([who, work]);
    const client = bench.connect({ waitUntil: waitUntil('client') });
    visitOf({ waitUntil: waitUntil('visit') }, client).visit.track('order', ORDER);
    visitOf({}, client).visit.track('order', ORDER);
    expect(given.map(([who]) => who)).toEqual(['visit', 'client']);
    await Promise.all(given.map(([, work]) => work));
    expect(deliveries()).toHaveLength(2);
  });

  test('is not lost when the client closes', async () => {
    const { visit, client } = visitOf();
    const offer = visit.offer('hero', '');
    visit.track('order', ORDER);
    await client.close();
    expect(
      deliveries()
        .map(({ delivery }) => delivery?.execute?.mboxes?.[0]?.name)
        .toSorted(),
    ).toEqual(['hero', 'order']);
    expect(await offer).toBe('hero');
    expect(() => visit.track('order', ORDER)).toThrow(expect.objectContaining({ code: 'ERR_TARGET_CLOSED' }));
  });
});

describe('the waitUntil of a visit', () => {
  test('is given the display notifications of its decisions, and wins over that of the client', async () => {
    const given: [string, Promise<unknown>][] = [];
    const waitUntil = (who: string) => (work: Promise<unknown>) => void given.push([who, work]);
    const client = bench.connect({ decisioningMethod: 'on-device', waitUntil: waitUntil('client') });
    await client.ready();
    given.length = 0;
    await visitOf({ waitUntil: waitUntil('visit') }, client).visit.offer('hero', '');
    await bench.edge.waitForRequests(1, { where: ({ delivery }) => delivery?.notifications !== undefined });
    expect(given.map(([who]) => who)).toEqual(['visit']);
    await Promise.all(given.map(([, work]) => work));
  });
});
