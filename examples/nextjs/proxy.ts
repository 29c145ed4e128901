import { type NextRequest, NextResponse } from 'next/server';
import { target } from './target';

/** Gives a new visitor an id before the page is rendered, and the page a policy for its scripts. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const { headers, apply } = await target.begin(request);
  const nonce = btoa(crypto.randomUUID());
  const policy = toPolicy(nonce);
  // Next.js reads the nonce from this header, and puts it on its own scripts.
  headers.set('Content-Security-Policy', policy);
  headers.set('X-Nonce', nonce);
  const response = apply(NextResponse.next({ request: { headers } }));
  response.headers.set('Content-Security-Policy', policy);
  return response;
}

/** Without this matcher, the proxy would run for every file. The static page needs no visit either. */
export const config = { matcher: '/((?!_next/|target|about|favicon).*)' };

function toPolicy(nonce: string): string {
  // React's tools for development use `eval`.
  const development = process.env.NODE_ENV === 'development' ? " 'unsafe-eval'" : '';
  return `script-src 'nonce-${nonce}' 'strict-dynamic'${development}; object-src 'none'; base-uri 'none'`;
}
