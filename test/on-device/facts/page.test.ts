import { describe, expect, test } from '@jest/globals';
import { parsePage } from '../../../src/on-device/facts/page.js';

const NOTHING = { path: '', query: '', fragment: '', subdomain: '', domain: '', topLevelDomain: '' };

test('a URL is taken apart, each part also in lower case', () => {
  const url = 'HTTPS://user:pw@WWW.Shop.Example.CO.UK:8443/Path/To?Q=A&b=C#Frag';
  expect(parsePage(url)).toEqual({
    url,
    path: '/Path/To',
    query: 'Q=A&b=C',
    fragment: 'Frag',
    subdomain: 'shop',
    domain: 'example.co.uk',
    topLevelDomain: 'co.uk',
    url_lc: url.toLowerCase(),
    path_lc: '/path/to',
    query_lc: 'q=a&b=c',
    fragment_lc: 'frag',
    subdomain_lc: 'shop',
    domain_lc: 'example.co.uk',
    topLevelDomain_lc: 'co.uk',
  });
});

test.each([
  ['http://example.com/', '', 'example.com', 'com'],
  ['http://www.example.com/', '', 'example.com', 'com'],
  ['http://www.a.example.com/', 'a', 'example.com', 'com'],
  ['http://a.www.example.com/', 'a.www', 'example.com', 'com'],
  ['http://www2.example.com/', 'www2', 'example.com', 'com'],
  ['http://wwwshop.example.com/', 'wwwshop', 'example.com', 'com'],
  ['http://pied.piper.decentralized.test.hooli.com/', 'pied.piper.decentralized.test', 'hooli.com', 'com'],
  ['http://example.com./', '', 'example.com', 'com'],
  ['http://a.github.io/', '', 'a.github.io', 'github.io'],
  ['http://b.a.github.io/', 'b', 'a.github.io', 'github.io'],
  [
    'http://shop.example.s3.us-east-1.amazonaws.com/',
    'shop',
    'example.s3.us-east-1.amazonaws.com',
    's3.us-east-1.amazonaws.com',
  ],
  ['http://www.city.kawasaki.jp/', '', 'city.kawasaki.jp', 'kawasaki.jp'],
  ['http://www.ck/', '', 'www.ck', 'ck'],
  ['http://co.uk/', '', 'co.uk', ''],
  ['http://localhost:3000/', '', 'localhost', ''],
  ['http://www.intranet/', '', 'www.intranet', ''],
  ['http://192.168.0.1:80/', '', '192.168.0.1', ''],
  ['http://[2001:db8::1]/', '', '[2001:db8::1]', ''],
  ['https://münchen.de/', '', 'xn--mnchen-3ya.de', 'de'],
])(
  '%s has the subdomain %j, the domain %j and the top-level domain %j',
  (url, subdomain, domain, topLevelDomain) => {
    expect(parsePage(url)).toMatchObject({ url, subdomain, domain, topLevelDomain });
  },
);

test.each([
  [
    'shop.example.com/path?q#f',
    { domain: 'example.com', subdomain: 'shop', path: '/path', query: 'q', fragment: 'f' },
  ],
  ['localhost:3000/x', { domain: 'localhost', path: '/x' }],
  ['//shop.example.com/x', { domain: 'example.com', subdomain: 'shop', path: '/x' }],
  ['example.com', { domain: 'example.com', path: '/' }],
  ['  http://example.com/x  ', { domain: 'example.com', path: '/x' }],
  ['/only/a/path?q=1', { ...NOTHING, path: '/only/a/path', query: 'q=1' }],
  ['?q=1#f', { ...NOTHING, path: '/', query: 'q=1', fragment: 'f' }],
  ['https:/shop.example.com/p', { domain: 'example.com', subdomain: 'shop', path: '/p' }],
  ['https:\\\\shop.example.com\\p', { domain: 'example.com', subdomain: 'shop', path: '/p' }],
  ['https:shop.example.com/p', { domain: 'example.com', subdomain: 'shop', path: '/p' }],
  ['http:8080/p', { domain: 'http', path: '/p' }],
  ['file:///etc/hosts', { ...NOTHING, path: '/etc/hosts' }],
])('%j, which is not a whole URL, is understood', (url, parts) => {
  expect(parsePage(url)).toMatchObject({ url, ...parts });
});

test.each([
  '',
  'http://',
  'http://exa mple.com/',
  'http://example.com:99999/',
  'javascript:alert(1)',
  '::::',
  '%',
])('%j, which is no URL, has no parts', (url) => {
  expect(parsePage(url)).toMatchObject({ url, ...NOTHING });
});

test.each([undefined, null])('no URL (%j) has no parts', (url) => {
  expect(parsePage(url)).toMatchObject({ url: '', url_lc: '', ...NOTHING });
});

describe('a URL that a visitor made up', () => {
  test('is looked at no further than its first 4096 characters', () => {
    const url = `http://example.com/?${'a'.repeat(1_000_000)}#end`;
    expect(parsePage(url)).toMatchObject({ domain: 'example.com', fragment: '' });
    expect(parsePage(url).url).toHaveLength(4096);
  });

  test.each([
    ['labels', `http://${'a.'.repeat(500_000)}com/`],
    ['slashes', '/'.repeat(1_000_000)],
    ['colons', ':'.repeat(1_000_000)],
    ['schemes', 'http:'.repeat(200_000)],
    ['escapes', `http://x/${'%'.repeat(1_000_000)}`],
  ])('of a million characters of %s is taken apart in linear time', (_what, url) => {
    // What is not linear does not end within the test's time limit.
    expect(parsePage(url).url).toBe(url.slice(0, 4096));
  });
});
