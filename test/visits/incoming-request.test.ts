import { once } from 'node:events';
import { createServer, type IncomingMessage, request as sendHttp } from 'node:http';
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fromFetchRequest,
  fromNodeRequest,
  type IncomingRequest,
  type NodeRequestLike,
  type NodeRequestOptions,
} from '../../src/adapters/http.js';
import { withServers } from '../listening.js';
import { HOSTILE } from './incoming.js';

const socket = { remoteAddress: '192.0.2.1' };
const tlsSocket = { ...socket, encrypted: true };

/** Reads all that a request has. */
function fieldsOf(incoming: IncomingRequest): unknown[] {
  return [
    incoming.url,
    incoming.method,
    incoming.ipAddress,
    incoming.header('host'),
    incoming.header('x-forwarded-for'),
    incoming.header(''),
  ];
}

describe('the URL of a request of Node', () => {
  test.each<[Partial<NodeRequestLike>, string]>([
    [{ url: '/a?b=c', headers: { host: 'shop.example' } }, 'http://shop.example/a?b=c'],
    [{ url: '/a', headers: { host: 'shop.example:8443' }, socket: tlsSocket }, 'https://shop.example:8443/a'],
    [{ url: '/', headers: { host: '[2001:db8::1]:80' } }, 'http://[2001:db8::1]:80/'],
    [{ url: '/a', headers: { ':authority': 'shop.example' }, socket: tlsSocket }, 'https://shop.example/a'],
    [{ url: '/a', headers: { ':authority': 'a.example', host: 'b.example' } }, 'http://a.example/a'],
    // A path that begins with two slashes is no host.
    [{ url: '//evil.example/a', headers: { host: 'shop.example' } }, 'http://shop.example//evil.example/a'],
    [{ url: '/\\evil.example', headers: { host: 'shop.example' } }, 'http://shop.example/\\evil.example'],
    // A request to a proxy has a whole URL, whose host counts more than the header.
    [{ url: 'http://a.example/b?c', headers: { host: 'shop.example' } }, 'http://a.example/b?c'],
    [{ url: 'https://a.example?c', headers: {} }, 'http://a.example/?c'],
    [{ url: 'http://user:secret@a.example/b', headers: { host: 'shop.example' } }, 'http://shop.example/b'],
    [{ url: '*', headers: { host: 'shop.example' } }, 'http://shop.example/'],
    [{ url: '?a', headers: { host: 'shop.example' } }, 'http://shop.example/?a'],
    [{ url: '', headers: { host: 'shop.example' } }, 'http://shop.example/'],
    [{ headers: { host: 'shop.example' } }, 'http://shop.example/'],
    [{ url: '/a', headers: { Host: 'shop.example' } }, 'http://shop.example/a'],
    // Nobody believes the headers of a proxy that is not there.
    [
      {
        url: '/a',
        headers: { host: 'shop.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      },
      'http://shop.example/a',
    ],
    [{ url: '/a', headers: { ':scheme': 'https', host: 'shop.example' } }, 'http://shop.example/a'],
    // Without a host that can be one, there is no URL.
    [{ url: '/a', headers: {} }, ''],
    [{ url: '/a', headers: { host: '' } }, ''],
    [{ url: '/a', headers: { host: 'a b' } }, ''],
    [{ url: '/a', headers: { host: 'user@shop.example' } }, ''],
    [{ url: '/a', headers: { host: 'shop.example/evil?' } }, ''],
    [{ url: '/a', headers: { host: 'shop.example, evil.example' } }, ''],
    [{ url: '/a', headers: { host: ['shop.example', 'evil.example'] } }, ''],
    [{ url: '/a', headers: { host: '1.2.3.999' } }, ''],
    [{ url: '/a', headers: { host: 'shop.example:99999' } }, ''],
  ])('of %j is %s', (request, expected) => {
    expect(fromNodeRequest({ socket, headers: {}, ...request }).url).toBe(expected);
  });

  test.each<[string, string, string]>([
    ['https', 'www.shop.example', 'https://www.shop.example/a'],
    ['https, http', 'www.shop.example, inner.example', 'https://www.shop.example/a'],
    ['HTTPS', 'www.shop.example:444', 'https://www.shop.example:444/a'],
    ['wss', 'a b', 'http://inner.example/a'],
    ['javascript', 'user@evil.example', 'http://inner.example/a'],
    ['', '', 'http://inner.example/a'],
    [',', ',', 'http://inner.example/a'],
  ])('behind a trusted proxy that sends %j and %j is %s', (proto, host, expected) => {
    const headers = { host: 'inner.example', 'x-forwarded-proto': proto, 'x-forwarded-host': host };
    expect(fromNodeRequest({ url: '/a', headers, socket }, { trustProxy: true }).url).toBe(expected);
  });
});

describe('the IP address of a request of Node', () => {
  const FORWARDED = '198.51.100.9, 203.0.113.5, 10.0.0.1';

  test.each<[NodeRequestOptions['trustProxy'], string | undefined, string | undefined]>([
    [undefined, FORWARDED, '192.0.2.1'],
    [false, FORWARDED, '192.0.2.1'],
    [0, FORWARDED, '192.0.2.1'],
    [true, FORWARDED, '10.0.0.1'],
    [1, FORWARDED, '10.0.0.1'],
    [2, FORWARDED, '203.0.113.5'],
    [3, FORWARDED, '198.51.100.9'],
    // Fewer proxies than there should be have written all that is there.
    [9, FORWARDED, '198.51.100.9'],
    [true, undefined, '192.0.2.1'],
    [true, '', '192.0.2.1'],
    [true, ' , ,', '192.0.2.1'],
    [true, '2001:db8::1', '2001:db8::1'],
    [true, '"[2001:db8::1]:4711"', '2001:db8::1'],
    [true, '[2001:db8::1]', '2001:db8::1'],
    [true, '203.0.113.5:4711', '203.0.113.5'],
    [true, '::ffff:203.0.113.5', '::ffff:203.0.113.5'],
    [true, 'fe80::1%eth0', 'fe80::1%eth0'],
    [true, 'unknown', undefined],
    [true, '_hidden', undefined],
    [true, 'shop.example', undefined],
    [true, '<script>', undefined],
    [-1, FORWARDED, '192.0.2.1'],
    [1.5, FORWARDED, '192.0.2.1'],
    [Number.NaN, FORWARDED, '192.0.2.1'],
    [Number.POSITIVE_INFINITY, FORWARDED, '192.0.2.1'],
    ['loopback' as unknown as boolean, FORWARDED, '192.0.2.1'],
  ])('with trustProxy %p and %j is %s', (trustProxy, forwarded, expected) => {
    const headers = { host: 'shop.example', 'x-forwarded-for': forwarded };
    expect(fromNodeRequest({ url: '/', headers, socket }, { trustProxy }).ipAddress).toBe(expected);
  });

  test('is none for a text that is too long for one, and so is the URL', () => {
    const long = ':'.repeat(70_000);
    const headers = { 'x-forwarded-for': long, 'x-forwarded-host': long, host: 'a'.repeat(70_000) };
    const incoming = fromNodeRequest({ url: '/', headers, socket }, { trustProxy: true });
    expect([incoming.url, incoming.ipAddress]).toEqual(['', undefined]);
  });

  test('is not known where there is no socket', () => {
    expect(fromNodeRequest({ headers: {} }).ipAddress).toBeUndefined();
    expect(fromNodeRequest({ headers: {}, socket: null }).ipAddress).toBeUndefined();
    expect(fromNodeRequest({ headers: {}, socket: {} }).ipAddress).toBeUndefined();
  });
});

describe('the headers of a request of Node', () => {
  const headers = {
    'user-agent': 'Tests/1',
    cookie: ['a=1', 'b=2'],
    via: ['one', 'two'],
    'X-Capital': 'yes',
    'content-length': 5 as unknown as string,
    empty: '',
  };

  test.each([
    ['user-agent', 'Tests/1'],
    ['User-Agent', 'Tests/1'],
    ['cookie', 'a=1; b=2'],
    ['via', 'one, two'],
    ['x-capital', 'yes'],
    ['content-length', undefined],
    ['empty', ''],
    ['missing', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
    ['tostring', undefined],
  ])('%s is %j', (name, expected) => {
    expect(fromNodeRequest({ headers }).header(name)).toBe(expected);
  });

  test('can be asked for apart from the request, and copied with it', () => {
    const { header } = fromNodeRequest({ headers });
    expect(header('user-agent')).toBe('Tests/1');
    const copy = { ...fromNodeRequest({ url: '/', headers: { host: 'a.example' }, socket }) };
    expect([copy.url, copy.ipAddress]).toEqual(['http://a.example/', '192.0.2.1']);
  });

  // The engine keeps a getter of an object literal, and what it refers to, until a full garbage collection.
  test.each([
    ['node', () => fromNodeRequest({ url: '/', headers, socket })],
    ['fetch', () => fromFetchRequest(new Request('https://a.example/'), { ipHeader: 'x-ip' })],
  ])('of %s has fields without getters', (_, read) => {
    const descriptors = Object.values(Object.getOwnPropertyDescriptors(read()));
    expect(descriptors.filter((descriptor) => descriptor.get)).toEqual([]);
  });
});

describe('requests of the real servers of Node', () => {
  const running = withServers();

  async function seenBy(raw: string): Promise<unknown[]> {
    let seen: unknown[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      seen = fieldsOf(fromNodeRequest(request, { trustProxy: 2 }));
      response.end();
    });
    const { port } = await running.listen(server);
    const client = connectSocket(port, '127.0.0.1');
    client.write(raw);
    client.resume();
    await once(client, 'end');
    return seen;
  }

  test('that come twice with a header, with capitals or with a whole URL', async () => {
    const lines = ['Host: shop.example', 'X-FORWARDED-FOR: 198.51.100.9', 'X-Forwarded-For: 10.0.0.1'];
    expect(await seenBy(['GET /a?b HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'))).toEqual([
      'http://shop.example/a?b',
      'GET',
      '198.51.100.9',
      'shop.example',
      '198.51.100.9, 10.0.0.1',
      undefined,
    ]);
    expect((await seenBy('GET http://a.example/b HTTP/1.0\r\n\r\n')).slice(0, 3)).toEqual([
      'http://a.example/b',
      'GET',
      '127.0.0.1',
    ]);
    expect((await seenBy('HEAD /b HTTP/1.0\r\n\r\n')).slice(0, 2)).toEqual(['', 'HEAD']);
  });

  test('of HTTP/2', async () => {
    let seen: unknown[] = [];
    const server = createHttp2Server((request: Http2ServerRequest, response) => {
      seen = fieldsOf(fromNodeRequest(request));
      response.end();
    });
    const { port } = await running.listen(server);
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/a?b', ':authority': 'shop.example', ':scheme': 'https' });
    stream.resume().end();
    await once(stream, 'end');
    session.close();
    expect(seen.slice(0, 3)).toEqual(['http://shop.example/a?b', 'GET', '127.0.0.1']);
  });

  test('of a keep-alive client, each read after its answer', async () => {
    const kept: IncomingRequest[] = [];
    const server = createServer((request, response) => {
      kept.push(fromNodeRequest(request));
      response.end();
    });
    const { port } = await running.listen(server);
    for (const path of ['/1', '/2']) {
      const outgoing = sendHttp({ port, path, host: '127.0.0.1', headers: { host: 'shop.example' } }).end();
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
    }
    expect(kept.map(({ url }) => url)).toEqual(['http://shop.example/1', 'http://shop.example/2']);
  });
});

describe('a request of the Fetch API', () => {
  const headers = { 'User-Agent': 'Tests/1', 'CF-Connecting-IP': '203.0.113.5', 'X-List': '10.0.0.1, ::1' };

  test('has its URL, its method, its headers and the IP address of the named header', () => {
    const request = new Request('https://shop.example/a?b', { method: 'POST', headers });
    const incoming = fromFetchRequest(request, { ipHeader: 'cf-connecting-ip' });
    expect(incoming).toMatchObject({ url: 'https://shop.example/a?b', method: 'POST' });
    expect(incoming.ipAddress).toBe('203.0.113.5');
    expect([incoming.header('user-agent'), incoming.header('missing')]).toEqual(['Tests/1', undefined]);
    expect(incoming.header('not a header')).toBeUndefined();
  });

  test.each([
    [undefined, undefined],
    ['missing', undefined],
    ['user-agent', undefined],
    ['x-list', '::1'],
    ['not a header', undefined],
  ])('with ipHeader %j has the address %j', (ipHeader, expected) => {
    expect(fromFetchRequest(new Request('https://a.example', { headers }), { ipHeader }).ipAddress).toBe(
      expected,
    );
  });

  const known = 'http://10.0.0.9:4000/a?b';
  test.each<
    [string, Record<string, string>, boolean | number | undefined, [url: string, ipAddress?: string]]
  >([
    ['no trust', { 'x-forwarded-proto': 'https' }, undefined, [known]],
    ['no hop', { 'x-forwarded-host': 'evil.example' }, 0, [known]],
    ['a proxy that ends TLS', { 'x-forwarded-proto': 'https' }, true, ['https://10.0.0.9:4000/a?b']],
    [
      'a proxy that tells all',
      {
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'shop.example',
        'x-forwarded-for': '8.8.8.8, 203.0.113.9',
      },
      1,
      ['https://shop.example/a?b', '203.0.113.9'],
    ],
    ['two proxies', { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' }, 2, [known, '203.0.113.9']],
    [
      'malformed headers',
      { 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'a b/', 'x-forwarded-for': 'unknown' },
      true,
      [known],
    ],
  ])('behind %s', (_, forwarded, trustProxy, [url, ipAddress]) => {
    const request = new Request(known, { headers: forwarded });
    const incoming = fromFetchRequest(request, { trustProxy });
    expect([incoming.url, incoming.ipAddress]).toEqual([url, ipAddress]);
  });

  test.each(['', '/a', 'about:blank', 'javascript:alert(1)', 'https://', 'file:///etc/passwd'])(
    'whose URL is %j has none',
    (url) => {
      expect(fromFetchRequest({ url, headers: new Headers() }).url).toBe('');
    },
  );
});

describe('nothing throws', () => {
  test.each(HOSTILE.map((hostile) => [hostile]))('whatever the request is (%#)', (hostile) => {
    for (const options of [undefined, ...HOSTILE]) {
      for (const incoming of [
        fromNodeRequest(hostile as never, options as never),
        fromFetchRequest(hostile as never, options as never),
      ]) {
        for (const field of fieldsOf(incoming)) {
          expect(['string', 'undefined']).toContain(typeof field);
        }
        expect(incoming.url).toBe('');
      }
    }
  });

  test('whatever the texts are, and a URL is parsable or empty', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(',', '/a?b', '::1', 'a.example'));
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (url, host, forwarded, trustProxy) => {
        const headers = {
          host,
          'x-forwarded-host': forwarded,
          'x-forwarded-for': host,
          'x-forwarded-proto': url,
        };
        const incoming = fromNodeRequest({ url, headers, socket }, { trustProxy });
        expect(incoming.url === '' || /^https?:$/.test(new URL(incoming.url).protocol)).toBe(true);
        expect(['string', 'undefined']).toContain(typeof incoming.ipAddress);
      }),
    );
  });
});
