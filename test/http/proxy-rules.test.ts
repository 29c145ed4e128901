import { describe, expect, test } from '@jest/globals';
import { readProxies } from '../../src/http/proxy-rules.js';

const PROXY = 'http://proxy.example:3128';

/** The address of the proxy of a URL, in an environment. */
function proxyOf(url: string, variables: Readonly<Record<string, string>>): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const target = { protocol, hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  const found = readProxies(variables).rules?.proxyOf(target);
  return found && `${found.isSecure ? 'https' : 'http'}://${found.hostname}:${found.port}`;
}

describe('a proxy', () => {
  test.each<[string, string, Readonly<Record<string, string>>, string | undefined]>([
    ['is that of the scheme', 'https://a.example/', { HTTPS_PROXY: PROXY }, PROXY],
    ['of https is none of http', 'http://a.example/', { HTTPS_PROXY: PROXY }, undefined],
    ['of http is none of https', 'https://a.example/', { HTTP_PROXY: PROXY }, undefined],
    ['may be named in lower case', 'http://a.example/', { http_proxy: PROXY }, PROXY],
    ['in lower case wins', 'https://a.example/', { https_proxy: PROXY, HTTPS_PROXY: 'http://x:1' }, PROXY],
    [
      'that is empty does not win',
      'https://a.example/',
      { https_proxy: '', HTTPS_PROXY: ` ${PROXY} ` },
      PROXY,
    ],
    ['is absent where none is named', 'https://a.example/', { NO_PROXY: 'x', ALL_PROXY: PROXY }, undefined],
    ['needs no scheme', 'https://a.example/', { HTTPS_PROXY: 'proxy.example:3128' }, PROXY],
    [
      'has the port of its scheme',
      'https://a.example/',
      { HTTPS_PROXY: 'https://p.example/' },
      'https://p.example:443',
    ],
    ['may have no port', 'https://a.example/', { HTTPS_PROXY: 'p.example' }, 'http://p.example:80'],
    ['may be an IPv6 address', 'https://a.example/', { HTTPS_PROXY: 'http://[::1]:3128' }, 'http://::1:3128'],
    [
      'of http in upper case is not obeyed where a web server sets variables by headers',
      'http://a.example/',
      { HTTP_PROXY: PROXY, REQUEST_METHOD: 'GET' },
      undefined,
    ],
  ])('%s', (_, url, variables, proxy) => {
    expect(proxyOf(url, variables)).toBe(proxy);
  });

  test.each([
    ['user and password', 'http://us%40er:p%3Ass@proxy.example', 'us@er:p:ss'],
    ['a user alone', 'http://user@proxy.example', 'user:'],
    ['what is not encoded', 'http://user:100%@proxy.example', 'user:100%'],
  ])('is told %s', (_, value, plain) => {
    const found = readProxies({ HTTPS_PROXY: value }).rules?.proxyOf({
      protocol: 'https:',
      hostname: 'a.example',
      port: 443,
    });
    expect(found?.authorization).toBe(`Basic ${Buffer.from(plain).toString('base64')}`);
  });

  test.each(['socks5://proxy.example', 'http://', '://', 'http://a b', 'ftp://proxy.example'])(
    'of HTTP is not what %j names',
    (value) => {
      expect(readProxies({ HTTPS_PROXY: value })).toMatchObject({
        variableNames: ['HTTPS_PROXY'],
        brokenVariable: 'HTTPS_PROXY',
      });
      expect(readProxies({ HTTPS_PROXY: PROXY, http_proxy: value }).brokenVariable).toBe('http_proxy');
    },
  );

  test('is nowhere in an empty environment', () => {
    expect(readProxies({})).toEqual({ variableNames: [], brokenVariable: undefined, rules: undefined });
  });
});

describe('NO_PROXY', () => {
  const isDirect = (noProxy: string, url: string) =>
    proxyOf(url, { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, NO_PROXY: noProxy }) === undefined;

  test.each([
    ['*', 'https://a.example/'],
    ['x.example, *', 'https://a.example/'],
    ['a.example', 'https://a.example/'],
    ['A.Example.', 'https://a.example./'],
    ['example', 'https://a.example/'],
    ['.example.com', 'https://b.a.example.com/'],
    ['.example.com', 'https://example.com/'],
    ['*.example.com', 'https://a.example.com/'],
    ['x.example,,a.example', 'https://a.example/'],
    ['x.example a.example', 'https://a.example/'],
    ['a.example:443', 'https://a.example/'],
    ['a.example:8443', 'https://a.example:8443/'],
    ['.example:80', 'http://a.example/'],
    ['127.0.0.1', 'http://127.0.0.1:8080/'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['10.0.0.0/8', 'https://10.1.2.3/'],
    ['::1', 'https://[::1]/'],
    ['[::1]', 'https://[::1]/'],
    ['[::1]:8443', 'https://[::1]:8443/'],
    ['0:0:0:0:0:0:0:1', 'https://[::1]/'],
    ['fd00::/8', 'https://[fd12::1]/'],
    ['localhost', 'https://localhost:1/'],
  ])('%j lets %s go without a proxy', (noProxy, url) => {
    expect(isDirect(noProxy, url)).toBe(true);
  });

  test.each([
    ['', 'https://a.example/'],
    [' , ', 'https://a.example/'],
    ['a.example', 'https://ba.example/'],
    ['b.a.example', 'https://a.example/'],
    ['a.example:8443', 'https://a.example/'],
    ['a.example:443', 'http://a.example/'],
    ['10.0.0.0/8', 'https://11.1.2.3/'],
    ['10.0.0.0/8', 'https://10.example/'],
    ['10.0.0.0/99', 'https://10.1.2.3/'],
    ['10.0.0.1', 'https://10.0.0.11/'],
    ['0.0.1', 'https://10.0.0.1/'],
    ['::1', 'https://[::2]/'],
    ['https://a.example', 'https://a.example/'],
    ['.', 'https://a.example/'],
    ['(a+)+$', 'https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/'],
  ])('%j does not let %s', (noProxy, url) => {
    expect(isDirect(noProxy, url)).toBe(false);
  });

  test('in lower case wins', () => {
    const variables = { HTTPS_PROXY: PROXY, no_proxy: 'a.example', NO_PROXY: 'b.example' };
    expect(proxyOf('https://a.example/', variables)).toBeUndefined();
    expect(proxyOf('https://b.example/', variables)).toBe(PROXY);
  });
});
