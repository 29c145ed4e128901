import {
  ADDRESS_LIMITS,
  type Address,
  type Browser,
  type ClientHints,
  type Context,
} from '../delivery-api.js';
import { ownFieldOf, setField } from '../inherited-names.js';
import { isObject } from '../json.js';
import type { IncomingRequest } from './incoming-request.js';
import { cut, headerOf, toUrl, urlOf } from './page-url.js';

/** The options of {@link toContext}. */
export interface ContextOptions {
  /**
   * True when the context has the visitor's IP address, if the request knows it. Without an address, Target takes the
   * place of your server for the visitor's, and keeps it for the whole session.
   * @default true
   */
  readonly ipAddress?: boolean | undefined;
}

/** The hints of which texts are in quotes, and the headers that send them. */
const QUOTED_HINTS = [
  ['platform', 'Sec-CH-UA-Platform'],
  ['platformVersion', 'Sec-CH-UA-Platform-Version'],
  ['model', 'Sec-CH-UA-Model'],
  ['architecture', 'Sec-CH-UA-Arch'],
  ['bitness', 'Sec-CH-UA-Bitness'],
] as const satisfies readonly (readonly [keyof ClientHints, string])[];

/**
 * The value of an `Accept-CH` header. A browser that gets it sends its next requests with all client hints that
 * {@link toContext} reads. Without it, Chromium sends only the first three, and other browsers send none.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Accept-CH
 * @example
 * ```ts
 * response.setHeader('Accept-CH', ACCEPT_CH);
 * ```
 */
export const ACCEPT_CH =
  'Sec-CH-UA, Sec-CH-UA-Mobile, Sec-CH-UA-Platform, Sec-CH-UA-Full-Version-List, ' +
  'Sec-CH-UA-Platform-Version, Sec-CH-UA-Model, Sec-CH-UA-Arch, Sec-CH-UA-Bitness';

const MAX_HINT_LENGTH = 1024;
const MAX_USER_AGENT_LENGTH = 4096;

/**
 * Makes the `context` of a delivery request: the URLs of the page, the user agent and the client hints of the browser,
 * its language, and the visitor's IP address. Audiences and on-device rules are made of these. What the request does not
 * have is left out, and so is a URL that does not parse. Longer texts than Target takes are cut. It never throws.
 *
 * @example
 * ```ts
 * const context = toContext(fromNodeRequest(request));
 * const answer = await client.getOffers({ request: { context, execute: { mboxes: [{ name: 'hero' }] } } });
 * ```
 */
export function toContext(incoming: IncomingRequest, options: ContextOptions = {}): Context {
  const context: Draft<Context> = { channel: 'web' };
  const page = cut(urlOf(incoming), ADDRESS_LIMITS.url);
  const url = page === '' ? undefined : toUrl(page);
  const address: Draft<Address> = {};
  const browser: Draft<Browser> = {};
  if (url) {
    setField(address, 'url', page);
    if (url.hostname !== '') {
      setField(browser, 'host', url.hostname);
    }
  }
  const referrer = headerOf(incoming, 'referer', ADDRESS_LIMITS.referringUrl);
  if (referrer !== undefined && URL.canParse(referrer)) {
    setField(address, 'referringUrl', referrer);
  }
  const language = headerOf(incoming, 'accept-language', MAX_HINT_LENGTH);
  if (language !== undefined) {
    setField(browser, 'language', language);
  }
  const userAgent = headerOf(incoming, 'user-agent', MAX_USER_AGENT_LENGTH);
  if (userAgent !== undefined) {
    setField(context, 'userAgent', userAgent);
  }
  const ipAddress =
    isObject(options) && ownFieldOf(options, 'ipAddress') === false ? undefined : ipAddressOf(incoming);
  if (ipAddress !== undefined) {
    setField(context, 'geo', { ipAddress });
  }
  setUnlessEmpty(context, 'address', address);
  setUnlessEmpty(context, 'browser', browser);
  setUnlessEmpty(context, 'clientHints', toClientHints(incoming));
  return context;
}

/** An object while its fields are read. */
type Draft<Type> = { -readonly [Name in keyof Type]: Type[Name] };

function setUnlessEmpty<Name extends keyof Context>(
  context: Draft<Context>,
  name: Name,
  value: object & Context[Name],
): void {
  if (Object.keys(value).length > 0) {
    setField(context, name, value);
  }
}

/**
 * Reads the client hints. The lists of browsers are taken as they came, and other texts without their quotes.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/client-hints
 */
function toClientHints(incoming: IncomingRequest): ClientHints {
  const hints: Draft<ClientHints> = {};
  const major = headerOf(incoming, 'sec-ch-ua', MAX_HINT_LENGTH);
  const full = headerOf(incoming, 'sec-ch-ua-full-version-list', MAX_HINT_LENGTH);
  const mobile = headerOf(incoming, 'sec-ch-ua-mobile', MAX_HINT_LENGTH);
  if (major !== undefined) {
    setField(hints, 'browserUAWithMajorVersion', major);
  }
  if (full !== undefined) {
    setField(hints, 'browserUAWithFullVersion', full);
  }
  if (mobile === '?1' || mobile === '?0') {
    setField(hints, 'mobile', mobile === '?1');
  }
  for (const [name, header] of QUOTED_HINTS) {
    const text = headerOf(incoming, header.toLowerCase(), MAX_HINT_LENGTH)?.replace(/^"|"$/g, '');
    if (text) {
      setField(hints, name, text);
    }
  }
  return hints;
}

function ipAddressOf(incoming: IncomingRequest): string | undefined {
  try {
    const ipAddress = ownFieldOf(incoming, 'ipAddress');
    return typeof ipAddress === 'string' && ipAddress !== '' ? ipAddress : undefined;
  } catch {
    return undefined;
  }
}
