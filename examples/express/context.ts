import type { Request } from 'express';
import type { ClientHints, Context } from 'target-node-sdk';
import type { SetCookieOptions } from 'target-node-sdk/http';

/** Where the visitor is and with what browser: what audiences are made of. */
export function toContext(
  request: Request,
  url = `${request.protocol}://${request.host}${request.url}`,
): Context {
  return {
    channel: 'web',
    // A visitor can send more than Target takes: the SDK cuts it.
    address: { url, referringUrl: request.get('referer') },
    userAgent: request.get('user-agent'),
    clientHints: toClientHints(request),
    geo: { ipAddress: request.ip },
  };
}

/** Browsers send the first three by themselves, and the others when an `Accept-CH` header asked for them. */
function toClientHints(request: Request): ClientHints {
  const unquoted = (name: string) => request.get(name)?.replace(/^"|"$/g, '');
  return {
    browserUAWithMajorVersion: request.get('sec-ch-ua'),
    mobile: request.get('sec-ch-ua-mobile'),
    platform: unquoted('sec-ch-ua-platform'),
    browserUAWithFullVersion: request.get('sec-ch-ua-full-version-list'),
    platformVersion: unquoted('sec-ch-ua-platform-version'),
    model: unquoted('sec-ch-ua-model'),
    architecture: unquoted('sec-ch-ua-arch'),
    bitness: unquoted('sec-ch-ua-bitness'),
  };
}

/** Scripts have no use for the cookies, unless at.js runs in the page: then leave `httpOnly` out. */
export function cookieOptions(request: Request): SetCookieOptions {
  return { secure: request.secure, httpOnly: true };
}
