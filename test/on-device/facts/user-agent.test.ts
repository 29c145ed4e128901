import { describe, expect, test } from '@jest/globals';
import { parseUser } from '../../../src/on-device/facts/user-agent.js';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 13_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_3)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; SM-G970F)';

test.each([
  [`${MAC} ${WEBKIT} Chrome/80.0.3987.163 Safari/537.36`, 'chrome', 80, 'mac'],
  [`${WINDOWS} ${WEBKIT} Chrome/80.0 Safari/537.36 OPR/67.0`, 'chrome', 80, 'windows'],
  [`${ANDROID} ${WEBKIT} Chrome/80.0.3987.99 Mobile Safari/537.36`, 'chrome', 80, 'Android'],
  ['Mozilla/5.0 (X11; CrOS x86_64 12739.111.0) Chrome/80.0 Safari/537.36', 'chrome', 80, 'Unix'],
  [`${MAC} ${WEBKIT} Chrome/80.0 Safari/537.36 Edg/81.0`, 'edge', 81, 'mac'],
  [`${WINDOWS} ${WEBKIT} Chrome/64.0 Safari/537.36 Edge/17.17134`, 'edge', 17, 'windows'],
  [`${ANDROID} ${WEBKIT} Chrome/80.0 Mobile Safari/537.36 EdgA/45.0`, 'edge', 45, 'Android'],
  [`${IPHONE} Version/13.0 EdgiOS/45.2 Mobile/15E148 Safari/604.1`, 'edge', 45, 'iOS'],
  [`${IPHONE} Version/13.0.3 Mobile/15E148 Safari/604.1`, 'mobile safari', 13, 'iOS'],
  [
    'Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X) Version/12.0 Mobile/15A Safari/604.1',
    'mobile safari',
    12,
    'iOS',
  ],
  [`${IPHONE} CriOS/80.0.3987 Mobile/15E148 Safari/604.1`, 'chrome', 80, 'iOS'],
  [`${IPHONE} FxiOS/20.1 Mobile/15E148 Safari/604.1`, 'firefox', 20, 'iOS'],
  [`${MAC} ${WEBKIT} Version/13.0.5 Safari/605.1.15`, 'safari', 13, 'mac'],
  ['Mozilla/5.0 (Linux; U; Android 4.0.3; de-de) Version/4.0 Mobile Safari/534.30', 'safari', 4, 'Android'],
  ['Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:73.0) Gecko/20100101 Firefox/73.0', 'firefox', 73, 'linux'],
  ['Mozilla/5.0 (X11; FreeBSD amd64; rv:73.0) Gecko/20100101 Firefox/73.0', 'firefox', 73, 'Unix'],
  ['Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; WOW64; Trident/6.0)', 'ie', 10, 'windows'],
  ['Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko', 'ie', 11, 'windows'],
  ['curl/7.64', 'unknown', -1, 'unknown'],
  ['chrome', 'unknown', -1, 'unknown'],
  ['', 'unknown', -1, 'unknown'],
])('%s is %s %i on %s', (userAgent, browserType, browserVersion, platform) => {
  expect(parseUser(userAgent, undefined)).toEqual({ browserType, browserVersion, platform, locale: 'en' });
});

test.each([undefined, null])('no user agent (%j) is unknown', (userAgent) => {
  expect(parseUser(userAgent, null)).toEqual({
    browserType: 'unknown',
    browserVersion: -1,
    platform: 'unknown',
    locale: 'en',
  });
});

describe('client hints win over the user agent', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:73.0) Gecko/20100101 Firefox/73.0';
  const chromeBrands = (version: string) =>
    `" Not A;Brand";v="99", "Chromium";v="${version}", "Google Chrome";v="${version}"`;
  test.each([
    [{ browserUAWithMajorVersion: chromeBrands('98'), platform: 'macOS' }, 'chrome', 98, 'mac'],
    [
      {
        browserUAWithFullVersion: chromeBrands('101.0.4951.54'),
        browserUAWithMajorVersion: chromeBrands('98'),
      },
      'chrome',
      101,
      'linux',
    ],
    [
      { browserUAWithMajorVersion: '"Chromium";v="101", "Microsoft Edge";v="102"', platform: 'Windows' },
      'edge',
      102,
      'windows',
    ],
    [{ browserUAWithMajorVersion: '"Firefox";v="98"', platform: 'Android' }, 'firefox', 98, 'Android'],
    [{ browserUAWithMajorVersion: '"Safari";v="15"', platform: 'iOS' }, 'safari', 15, 'iOS'],
    [{ browserUAWithMajorVersion: '"Chromium";v="98"', platform: 'Chrome OS' }, 'firefox', 73, 'Chrome OS'],
    [{ platform: 'Linux', mobile: false }, 'firefox', 73, 'linux'],
    [{ browserUAWithMajorVersion: '', platform: '' }, 'firefox', 73, 'linux'],
    [{}, 'firefox', 73, 'linux'],
  ])('%j', (hints, browserType, browserVersion, platform) => {
    expect(parseUser(firefox, hints)).toEqual({ browserType, browserVersion, platform, locale: 'en' });
  });
});

describe('a user agent that a visitor made up', () => {
  test('is looked at no further than its first 1024 characters', () => {
    expect(parseUser(`${' '.repeat(1024)}Chrome/80`, undefined).browserType).toBe('unknown');
    expect(parseUser(`${' '.repeat(1000)}Chrome/80`, undefined).browserType).toBe('chrome');
  });

  test.each(['version/1 ', 'mobile/a', 'mobile/', 'rv:1', 'trident/', '1', 'edg', 'Google Chrome";v="', ' '])(
    'of a million characters of %j is told in linear time',
    (text) => {
      const long = text.repeat(1_000_000 / text.length);
      const told = parseUser(long.slice(0, 1024), { browserUAWithFullVersion: long.slice(0, 1024) });
      // What is not linear does not end within the test's time limit.
      expect(parseUser(long, { browserUAWithFullVersion: long })).toEqual(told);
    },
  );
});
