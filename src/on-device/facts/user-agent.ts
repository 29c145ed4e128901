import type { ClientHints } from '../../delivery-api.js';
import { createBoundedCache } from './bounded-cache.js';

/** What conditions see of the visitor's browser, as `user`. */
export interface User {
  readonly browserType: string;
  readonly platform: string;
  readonly locale: string;
  /** Major version; -1 when unknown. */
  readonly browserVersion: number;
}

/** No more of a user agent than this is looked at: a visitor can send anything. */
const MAX_LENGTH = 1024;
const UNKNOWN = 'unknown';
const LOCALE = 'en';

const usersByUserAgent = createBoundedCache<User>(250);

/** Browser, major version and platform from the user agent; client hints, where given, win over it. */
export function parseUser(userAgent: string | null | undefined, hints: ClientHints | null | undefined): User {
  const user = parseUserAgent(typeof userAgent === 'string' ? userAgent.slice(0, MAX_LENGTH) : '');
  if (!hints) return user;
  const brands = hints.browserUAWithFullVersion || hints.browserUAWithMajorVersion;
  const browser = brands ? hintedBrowser(brands.slice(0, MAX_LENGTH)) : undefined;
  return {
    browserType: browser?.type ?? user.browserType,
    platform: hints.platform ? hintedPlatform(hints.platform) : user.platform,
    locale: LOCALE,
    browserVersion: browser?.version ?? user.browserVersion,
  };
}

function parseUserAgent(userAgent: string): User {
  const cached = usersByUserAgent.get(userAgent);
  if (cached) return cached;
  const browser = parseBrowser(userAgent);
  const platform = PLATFORMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? UNKNOWN;
  const user = Object.freeze({
    browserType: browser.type,
    platform,
    locale: LOCALE,
    browserVersion: browser.version,
  });
  usersByUserAgent.set(userAgent, user);
  return user;
}

interface Browser {
  readonly type: string;
  readonly version: number;
}

/** In the order in which they are tried; none of the patterns can backtrack. The first group is the version. */
const BROWSERS: readonly [type: string, version: RegExp, besides?: RegExp][] = [
  ['edge', /(?:edge|edgios|edga|edg)\/(\d+)/i],
  ['chrome', /crios\/(\d+)/i],
  ['firefox', /fxios\/(\d+)/i],
  ['mobile safari', /version\/(\d+)/i, /mobile\/\w+ safari/i],
  ['safari', /version\/(\d+)/i, / safari/i],
  ['chrome', /chrome\/(\d+)/i],
  ['firefox', /firefox\/(\d+)/i],
  ['ie', /msie (\d+)/i],
  ['ie', /rv:(\d+)/i, /trident\//i],
];

function parseBrowser(userAgent: string): Browser {
  for (const [type, version, besides] of BROWSERS) {
    const match = version.exec(userAgent);
    if (match && (!besides || besides.test(userAgent))) return { type, version: Number(match[1]) };
  }
  return { type: UNKNOWN, version: -1 };
}

const PLATFORMS: readonly [pattern: RegExp, platform: string][] = [
  [/iPhone|iPad|iPod/, 'iOS'],
  [/Android/, 'Android'],
  [/Linux/, 'linux'],
  [/CrOS|FreeBSD|OpenBSD|NetBSD/, 'Unix'],
  [/Windows/, 'windows'],
  [/Mac OS|Macintosh/, 'mac'],
];

/** Brands come as `"Name";v="98", …`; names that are there for grease or for compatibility are passed over. */
const BRANDS: readonly [type: string, version: RegExp][] = [
  ['chrome', /Google Chrome";v="(\d+)/],
  ['edge', /Edge";v="(\d+)/],
  ['firefox', /Firefox";v="(\d+)/],
  ['safari', /Safari";v="(\d+)/],
];

function hintedBrowser(brands: string): Browser | undefined {
  for (const [type, version] of BRANDS) {
    const match = version.exec(brands);
    if (match) return { type, version: Number(match[1]) };
  }
  return undefined;
}

function hintedPlatform(platform: string): string {
  switch (platform) {
    case 'Windows':
      return 'windows';
    case 'macOS':
    case 'Mac OS':
    case 'Mac OS X':
      return 'mac';
    case 'Linux':
      return 'linux';
    default:
      return platform;
  }
}
