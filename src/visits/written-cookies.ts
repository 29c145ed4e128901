import { parseMboxCookie } from '../identity/mbox-cookie.js';
import { readIdentity } from './ecid.js';
import type { IncomingRequest } from './incoming-request.js';

/** A cookie of a `Set-Cookie` line, as functions take it that set cookies. */
export interface WrittenCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: {
    readonly [name in 'domain' | 'path' | 'sameSite']: string | undefined;
  } & { readonly maxAge: number; readonly secure: boolean; readonly httpOnly: boolean };
}

/** Returns the name of the cookie in a `Set-Cookie` line. */
export function nameOf(line: string): string {
  return line.split('=', 1)[0] ?? '';
}

/** Reads a `Set-Cookie` line that this package has written. */
export function readSetCookie(line: string): WrittenCookie {
  const [pair = '', ...rest] = line.split('; ');
  const attributes = new Map(
    rest.map((text) => {
      const [name = '', value = ''] = text.split('=', 2);
      return [name.toLowerCase(), value] as const;
    }),
  );
  const name = nameOf(line);
  return {
    name,
    value: decodeURIComponent(pair.slice(name.length + 1)),
    attributes: {
      domain: attributes.get('domain'),
      path: attributes.get('path'),
      sameSite: attributes.get('samesite')?.toLowerCase(),
      maxAge: Number(attributes.get('max-age')),
      secure: attributes.has('secure'),
      httpOnly: attributes.has('httponly'),
    },
  };
}

/** Returns the cookies that name the visitor otherwise than those of the browser. */
export function changedCookies(
  lines: readonly string[],
  incoming: IncomingRequest,
  organizationId: string,
): WrittenCookie[] {
  const { targetCookie, targetLocationHint } = readIdentity(incoming, organizationId);
  const now = Date.now();
  const came = parseMboxCookie(targetCookie, now);
  return lines.map(readSetCookie).filter(({ name, value }) => {
    if (name !== 'mbox') {
      return value !== (targetLocationHint ?? '');
    }
    const { sessionId, tntId } = parseMboxCookie(value, now);
    return sessionId !== came.sessionId || tntId !== came.tntId;
  });
}

/** Returns a `Cookie` header with the cookies of `Set-Cookie` lines in the place of those of the same names. */
export function withCookies(header: string | null, lines: readonly string[]): string {
  const written = lines.map((line) => line.split('; ', 1)[0] ?? '');
  const names = lines.map((line) => `${nameOf(line)}=`);
  const kept = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !names.some((name) => pair.startsWith(name)));
  // A cookie without a value is deleted in the browser.
  return [...kept, ...written.filter((pair) => !pair.endsWith('='))].join('; ');
}
