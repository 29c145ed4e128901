import { describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { DeliveryRequest, TargetClientConfig } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { listeningLogger, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const bench = withEdge({
  artifact: flagsArtifact(),
  offers: {
    mboxes: { hero: html('hero'), menu: html('menu') },
    pageLoad: html('page'),
    views: { home: html('home') },
  },
});
const PREFETCH: Browsing = { headers: { 'sec-purpose': 'prefetch;prerender' } };
const HERO = { request: { execute: { mboxes: [{ name: 'hero' }] } } };

function visitOf(browsing: Browsing, options?: VisitOptions, config?: Partial<TargetClientConfig>) {
  return createVisit(bench.connect(config), new Browser().request(browsing), options);
}

describe('a page that a browser loads in advance', () => {
  test('has a visitor, who can be asked for alone', async () => {
    const visit = visitOf(PREFETCH, { unseen: 'prefetch' });
    await visit.identify();
    expect(visit.setCookies[0]).toContain('mbox=');
    expect(bench.sent().prefetch).toBeUndefined();
  });

  test('is decided without an impression, and the answer is where the caller looks', async () => {
    const visit = visitOf(PREFETCH, { unseen: 'prefetch' });
    expect(visit.isUnseen).toBe(true);
    const answer = await visit.getOffers({
      request: {
        execute: { pageLoad: {}, mboxes: [{ name: 'hero', index: 4, order: { id: '1', total: 5 } }] },
        prefetch: { views: [{ name: 'home' }], mboxes: [{ name: 'menu', index: 4 }] },
      },
    });
    expect(bench.sent().execute).toBeUndefined();
    expect(JSON.stringify(bench.sent())).not.toContain('order');
    expect(bench.received().violations).toEqual([]);
    const { execute, prefetch } = answer.response;
    expect(execute?.mboxes).toMatchObject([{ name: 'hero', index: 4, options: [{ content: 'hero' }] }]);
    expect(execute?.mboxes?.[0]?.state).toBeDefined();
    expect(execute?.mboxes?.[0]?.options?.[0]?.eventToken).toBeDefined();
    expect(execute?.pageLoad?.options?.[0]?.content).toBe('page');
    expect(prefetch).toMatchObject({ mboxes: [{ name: 'menu', index: 4 }], views: [{ name: 'home' }] });
    expect(prefetch?.pageLoad).toBeUndefined();
    expect(answer.isUncounted).toBe(true);
    expect(answer.request.execute?.mboxes?.[0]).toMatchObject({ name: 'hero', index: 4 });
  });

  test('sends no notification, whatever call has it', async () => {
    const visit = visitOf(PREFETCH, { unseen: 'prefetch' });
    const notifications = [
      { id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] },
    ] as const;
    await visit.getOffers({ request: { ...HERO.request, notifications } });
    await visit.getOffers({ request: { notifications, prefetch: { mboxes: [{ name: 'hero' }] } } });
    await visit.getOffers({ request: { notifications } });
    await visit.sendNotifications({ request: { notifications } });
    expect(bench.edge.requests.filter(({ delivery }) => delivery?.notifications)).toEqual([]);
  });

  test('answers attributes, offers and merged calls in the same way', async () => {
    const visit = visitOf(PREFETCH, { beacon: '/target/beacon' });
    expect(await Promise.all([visit.offer('hero', ''), visit.offer('menu', '')])).toEqual(['hero', 'menu']);
    expect(bench.edge.requests).toHaveLength(1);
    expect(bench.sent().execute).toBeUndefined();
  });

  test('gives both parts the page load when both ask for it', async () => {
    const visit = visitOf(PREFETCH, { unseen: 'prefetch' });
    const request = { execute: { pageLoad: {} }, prefetch: { pageLoad: {} } };
    const { response } = await visit.getOffers({ request });
    expect(response.execute?.pageLoad?.options?.[0]?.content).toBe('page');
    expect(response.prefetch?.pageLoad?.options?.[0]?.content).toBe('page');
  });

  test('sends no notification and no conversion', async () => {
    const client = bench.connect();
    const visit = createVisit(client, new Browser().request(PREFETCH), { unseen: 'prefetch' });
    const notifications = [
      { id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] },
    ] as const;
    await visit.sendNotifications({ request: { notifications } });
    visit.track('order', { order: { id: '1', total: 1 } });
    await client.flush();
    expect(bench.edge.requests).toEqual([]);
  });

  test('queues no notification when it is decided in this process', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request(PREFETCH), { unseen: 'prefetch' });
    expect(await visit.offer('hero', '')).toBe('first');
    expect(client.stats().notifications.accepted).toBe(0);
    const seen = createVisit(client, new Browser().request());
    await seen.offer('hero', '');
    expect(client.stats().notifications.accepted).toBe(1);
  });

  test('sends nothing with skip', async () => {
    const visit = visitOf(PREFETCH, { unseen: 'skip' });
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(bench.edge.requests).toEqual([]);
  });

  test('counts by default, with one warning in a process', async () => {
    const { lines, logger } = listeningLogger();
    const config = { logger };
    const answer = await visitOf(PREFETCH, {}, config).getOffers(HERO);
    await visitOf(PREFETCH, {}, config).getOffers(HERO);
    expect(answer.isUncounted).toBe(false);
    expect(bench.sent().execute).toBeDefined();
    expect(lines.warn.filter((line) => line.includes('unseen'))).toHaveLength(1);
  });
});

describe.each(['HEAD', 'OPTIONS'])('a %s request', (method) => {
  test.each<VisitOptions>([{}, { unseen: 'execute' }, { unseen: 'prefetch' }])(
    'counts nothing with %o',
    async (options) => {
      const { lines, logger } = listeningLogger();
      const visit = visitOf({ method }, options, { logger });
      const { isUncounted } = await visit.getOffers(HERO);
      expect(isUncounted).toBe(true);
      expect(bench.sent().execute).toBeUndefined();
      visit.track('order');
      expect(visit.isUnseen).toBe(true);
      expect(lines.warn).toEqual([]);
    },
  );

  test('sends nothing with skip', async () => {
    await visitOf({ method }, { unseen: 'skip' }).getOffers(HERO);
    expect(bench.edge.requests).toEqual([]);
  });
});

describe('a page that is seen', () => {
  test.each<Browsing>([{}, { method: 'GET' }, { method: 'POST' }])('is counted (%o)', async (browsing) => {
    const visit = visitOf(browsing, { unseen: 'skip' });
    const request: DeliveryRequest = HERO.request;
    const { isUncounted } = await visit.getOffers({ request });
    expect([visit.isUnseen, isUncounted]).toEqual([false, false]);
    expect(bench.sent().execute).toBeDefined();
  });
});
