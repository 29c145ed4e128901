import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TargetClient, TargetError } from '../src/index.js';
import { html, json, startTargetEdge, type TargetEdge } from '../src/testing/edge.js';
import * as audiences from './fixtures/adobe/audiences.js';
import { createApp } from './fixtures/adobe/express.js';
import * as getAttributes from './fixtures/adobe/get-attributes.js';
import * as getOffers from './fixtures/adobe/get-offers.js';
import { offerOnceReady } from './fixtures/adobe/initialize.js';
import { decideByFile, startServer } from './fixtures/adobe/on-device-server.js';
import { throughProxy } from './fixtures/adobe/proxy.js';
import * as python from './fixtures/adobe/python.js';
import { onDeviceEvents } from './fixtures/adobe/sdk-events.js';
import * as notifications from './fixtures/adobe/send-notifications.js';
import { sharedVisitor } from './fixtures/adobe/shared-visitor.js';
import * as visitors from './fixtures/adobe/visitors.js';
import { artifactOf, rule } from './fixtures/rules.js';

/** The programs of Adobe's documentation run with another import line, and the edge finds no fault with what they send. */
const FLAGS = { cdnHostname: 'cdn.cloud.corp.net', searchProviderId: 143, hasLegacyAccess: false };
const clients: TargetClient[] = [];
const servers: Server[] = [];
let edge: TargetEdge;

beforeAll(async () => {
  edge = await startTargetEdge({
    client: 'acmeclient',
    organizationId: '1234567890@AdobeOrg',
    acceptToken: () => true,
    offers: {
      pageLoad: html('Page'),
      mboxes: {
        'a1-serverside-ab': html('Experience A'),
        'demo-engineering-flags': json(FLAGS),
        'ondevice-rollout': json({ enable: 'yes' }),
        home: html('HOME OFFER'),
        product1: html('TEST OFFER 1'),
        homepage: html('Homepage'),
        'some-mbox': html('Some offer'),
        orderConfirm: html('Thank you'),
      },
      views: { cart: html('Cart') },
    },
    artifact: artifactOf({
      flags: [rule('flags', { options: [{ type: 'json', content: FLAGS }] })],
      'on-device-homepage-banner': [rule('on-device-homepage-banner', { shows: 'Banner' })],
    }),
  });
});

beforeEach(() => {
  const create = TargetClient.create.bind(TargetClient);
  jest.spyOn(TargetClient, 'create').mockImplementation((config) => {
    const client = create(config);
    // The edge has a client of its own, for its artifact.
    if (config.serverDomain !== undefined) {
      clients.push(client);
    }
    return client;
  });
});

afterEach(async () => {
  edge.clearFaults();
  await Promise.all(clients.splice(0).map((client) => client.close()));
  jest.restoreAllMocks();
  for (const server of servers.splice(0)) {
    server.close();
  }
  expect(edge.requests.flatMap(({ violations }) => violations)).toEqual([]);
  edge.clearRequests();
});

afterAll(() => edge.close());

const sent = () => edge.lastRequest?.delivery;

describe('programs about offers', () => {
  test('ask once the client is ready', async () => {
    await expect(offerOnceReady(edge.config)).resolves.toBe('Experience A');
  });

  test('get the offers of a request', async () => {
    const { response } = await getOffers.getOffers(edge.config);
    expect(response.execute?.mboxes).toEqual([
      { index: 1, name: 'a1-serverside-ab', options: [{ type: 'html', content: 'Experience A' }] },
    ]);
  });

  test('name a property for all calls, and another for one', async () => {
    await expect(getOffers.getOffersOfProperties(edge.config)).resolves.toEqual([
      '8c4630b1-16db-e2fc-3391-8b3d81436cfb',
      '08210e2d-751a-4477-9b83-13e2d2692b96',
    ]);
    expect(sent()?.execute?.pageLoad).toEqual({ parameters: { destinationCity: 'San Francisco' } });
  });

  test('ask for a trace and log to the console', async () => {
    const lines: unknown[] = [];
    for (const method of ['log', 'debug', 'error'] as const) {
      jest.spyOn(console, method).mockImplementation((line: unknown) => void lines.push(line));
    }
    await getOffers.getTracedOffers(edge.config);
    expect(sent()?.trace).toEqual({ authorizationToken: '88f1a924-6bc5-4836-8560-2f9c86aeb36b' });
    expect(lines).toContain('Response: ');
    expect(lines.filter((line) => String(line).startsWith('AT: ')).length).toBeGreaterThan(0);
  });

  test('read attributes', async () => {
    await expect(getAttributes.engineeringFlags(edge.config)).resolves.toEqual([
      143,
      FLAGS,
      'http://cdn.cloud.corp.net/path/to/asset',
      200,
    ]);
    await expect(getAttributes.rollOut(edge.config)).resolves.toBe('Render Feature');
  });
});

describe('programs about notifications', () => {
  test('report what was displayed', async () => {
    const { response } = await notifications.displayed(edge.config);
    expect(response.notifications).toEqual([{ id: '1' }]);
    expect(sent()?.notifications?.[0]?.tokens).toEqual([expect.any(String)]);
  });

  test('report every mbox and view of a page', async () => {
    const { response } = await notifications.tracked(edge.config, 'page-session');
    expect(response.notifications).toEqual([{ id: 'mbox-0' }, { id: 'view-0' }]);
    expect(edge.requests.map(({ query }) => query.sessionId)).toEqual(['page-session', 'page-session']);
  });

  test('report an order', async () => {
    await notifications.bought(edge.config);
    expect(sent()?.notifications?.[0]?.order).toEqual({
      id: 'BR9389',
      total: 98.93,
      purchasedProductIds: ['J9393', '3DJJ3'],
    });
  });

  test('give ids as numbers and amounts as texts', async () => {
    await notifications.boughtByNumbers(edge.config);
    expect(sent()?.context).toMatchObject({ timeOffsetInMinutes: 330 });
    expect(sent()?.execute).toEqual({
      pageLoad: {},
      mboxes: [
        {
          name: 'orderConfirm',
          index: 0,
          product: { id: '5', categoryId: '17' },
          order: { id: '9389', total: 98.93, purchasedProductIds: ['5', '6'] },
        },
      ],
    });
  });
});

describe('programs about visitors', () => {
  test('send client hints, places and addresses', async () => {
    await audiences.byClientHints(edge.config);
    expect(sent()?.context).toMatchObject({
      channel: 'mobile',
      clientHints: { mobile: true, model: 'Pixel 4a' },
    });
    await audiences.byPlace(edge.config);
    expect(sent()?.context?.geo).toMatchObject({ city: 'SAN FRANCISCO', latitude: 37.75 });
    await audiences.byIpAddress(edge.config);
    expect(sent()?.context?.geo).toEqual({ ipAddress: '127.0.0.1' });
  });

  test('send the ids of each system', async () => {
    await visitors.byThirdPartyId(edge.config);
    expect(sent()?.id).toEqual({ thirdPartyId: 'B234A029348' });
    await visitors.byCustomerIds(edge.config);
    expect(sent()?.id?.customerIds).toEqual([
      { id: '134325423', integrationCode: 'crm_data', authenticatedState: 'authenticated' },
      { id: '134325424', integrationCode: 'shop', authenticatedState: 'unknown' },
    ]);
    await visitors.forAnalytics(edge.config);
    expect(sent()?.experienceCloud?.analytics).toMatchObject({
      logging: 'server_side',
      supplementalDataId: '7D3AA246CC99FD7F-1B3DD2E75595498E',
    });
    await visitors.forClientSideAnalytics(edge.config);
    expect(sent()?.experienceCloud?.analytics?.logging).toBe('client_side');
  });

  test('share a visitor between two calls', async () => {
    const state = await sharedVisitor(edge.config);
    const [first, second] = edge.requests.map(({ delivery }) => delivery?.experienceCloud?.analytics);
    expect(first?.supplementalDataId).toEqual(expect.stringMatching(/^[\dA-F]{16}-[\dA-F]{16}$/));
    expect(second?.supplementalDataId).toBe(first?.supplementalDataId);
    const customerIds = [
      { id: '67312378756723456', integrationCode: 'userid', authenticatedState: 'authenticated' },
    ];
    expect(edge.requests.map(({ delivery }) => delivery?.id)).toEqual([{ customerIds }, { customerIds }]);
    expect(state).toMatchObject({
      '1234567890@AdobeOrg': {
        sdid: {
          supplementalDataIDCurrent: first?.supplementalDataId,
          supplementalDataIDCurrentConsumed: { 'payload:first-mbox': true, 'payload:second-mbox': true },
        },
        customerIDs: { userid: { id: '67312378756723456', authState: 1 } },
      },
    });
  });
});

describe('programs about the client', () => {
  test('bring a fetch that adds to its options', async () => {
    const options: unknown[] = [];
    const globalFetch = fetch;
    jest.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
      options.push(init);
      const { dispatcher: _, ...rest } = init ?? {};
      return globalFetch(url, rest);
    });
    const dispatcher = {} as Parameters<typeof throughProxy>[1];
    const { response } = await throughProxy(edge.config, dispatcher);
    expect(response.status).toBe(200);
    expect(options).toEqual([expect.objectContaining({ dispatcher, method: 'POST' })]);
  });

  test('listen to the events of the artifact', async () => {
    const lines: string[] = [];
    await onDeviceEvents(edge.config, (line) => lines.push(line));
    expect(lines).toEqual([
      expect.stringMatching(/^downloaded from 'http.*rules.json': true$/),
      JSON.stringify(FLAGS),
    ]);
  });
});

describe('programs of Python', () => {
  test('ask from the callback of the ready client, or asynchronously', async () => {
    const { response } = await python.whenReady(edge.config);
    expect(response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('Experience A');
    await expect(python.getTargetDeliveryResponse(edge.config)).resolves.toContain('Experience A');
  });

  test('are called back with the answer or with the error', async () => {
    const answer = await new Promise((resolve, reject) => {
      python.byCallbacks(edge.config, resolve, reject);
    });
    expect(answer).toMatchObject({ response: { status: 200 } });
    expect(edge.lastRequest?.query.sessionId).toBe('session-of-the-page');
    edge.fault({ kind: 'status', status: 400 });
    const error = await new Promise((resolve, reject) => {
      python.byCallbacks(edge.config, reject, resolve);
    });
    expect(error).toBeInstanceOf(TargetError);
  });
});

describe('programs with a web server', () => {
  const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function listen(): Promise<string> {
    const server = createApp(edge.config).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return addressOf(server);
  }

  test('know their visitor again by cookies', async () => {
    const url = `${await listen()}/abtest?page=1`;
    const first = await fetch(url);
    expect(await first.text()).toContain('Experience A');
    const cookies = first.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    const ecid = `${encodeURIComponent('AMCV_1234567890@AdobeOrg')}=${encodeURIComponent('1|MCMID|12345|MCAID|NONE')}`;
    await fetch(url, { headers: { cookie: [...cookies, ecid].join('; ') } });

    const [before, after] = edge.requests;
    expect(after?.query.sessionId).toBe(before?.query.sessionId);
    expect(after?.delivery?.id).toMatchObject({
      tntId: expect.stringContaining('.35_'),
      marketingCloudVisitorId: '12345',
      customerIds: [
        { id: '67312378756723456', integrationCode: 'userid', authenticatedState: 'authenticated' },
      ],
    });
    expect(after?.delivery?.execute?.mboxes?.[0]?.address?.url).toMatch(/^127\.0\.0\.1:\d+\/abtest\?page=1$/);
  });

  test('answer with an error that shows no visitor', async () => {
    edge.fault({ kind: 'status', status: 400 });
    const answer = await fetch(`${await listen()}/abtest`);
    expect(answer.status).toBe(500);
    expect(JSON.parse(await answer.text())).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 400 });
  });

  test('start when the artifact is there, and start again from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'documented-'));
    const jsonPath = join(folder, 'target-rules.json');
    try {
      const server = await new Promise<Server>((onListening) => {
        startServer(edge.config, { jsonPath, onListening });
      });
      servers.push(server);
      const answer = await fetch(`${addressOf(server)}/any/page`);
      expect(await answer.json()).toMatchObject({
        status: { status: 200 },
        decisioningMethod: 'on-device',
        response: { execute: { mboxes: [{ options: [{ content: 'Banner' }] }] } },
      });
      expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^mbox=session/)]);
      await expect(decideByFile(edge.config, jsonPath)).resolves.toBe('Banner');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
