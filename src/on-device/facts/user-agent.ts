import type { ClientHints } from '../../delivery-api.js';
import { createBoundedCache } from './bounded-cache.js';

/** Holds the facts about the visitor's browser that conditions read, as `user`. */
export interface User {
  readonly browserType: string;
  readonly platform: string;
  readonly locale: string;
  /** Major version of the browser; -1 when it is unknown. */
  readonly browserVersion: number;
}

/**
 * Longest part of a user agent that is parsed, in characters. The limit exists because a visitor can send a text of
 * any length.
 */
const MAX_LENGTH = 1024;
const UNKNOWN = 'unknown';
const LOCALE = 'en';

const usersByUserAgent = createBoundedCache<User>(250);

/**
 * Finds browser, major version and platform in the user agent. Client hints win over the user agent where they are
 * given.
 */
export function parseUser(userAgent: string | null | undefined, hints: ClientHints | null | undefined): User {
  const user = parseUserAgent(typeof userAgent === 'string' ? userAgent.slice(0, MAX_LENGTH) : '');
  if (!hints) {
    return user;
  }
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
  if (cached) {
    return cached;
  }
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

/**
 * Lists the browsers in the order in which they are tried. The first group of `version` is the major version, and
 * `besides` has to match too. No pattern can backtrack, so no user agent is slow to parse.
 */
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
    if (match && (!besides || besides.test(userAgent))) {
      return { type, version: Number(match[1]) };
    }
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

/**
 * Lists the brands that are looked for, in the order in which they are tried. The header holds them as
 * `"Name";v="98", …`. It also holds made-up names and `Chromium`, which are skipped: see
 * https://wicg.github.io/ua-client-hints/.
 */
const BRANDS: readonly [type: string, version: RegExp][] = [
  ['chrome', /Google Chrome";v="(\d+)/],
  ['edge', /Edge";v="(\d+)/],
  ['firefox', /Firefox";v="(\d+)/],
  ['safari', /Safari";v="(\d+)/],
];

function hintedBrowser(brands: string): Browser | undefined {
  for (const [type, version] of BRANDS) {
    const match = version.exec(brands);
    if (match) {
      return { type, version: Number(match[1]) };
    }
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
