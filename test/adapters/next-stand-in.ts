import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that code of Next.js runs in, as far as the stand-ins need it. */
export interface Scope {
  /** The headers of the request. Every component of a page gets this object. */
  readonly headers: Headers;
  /** The error that `headers()` throws in the place of an answer. */
  readonly error?: unknown;
  /** True where Next.js lets programs set cookies. */
  readonly canSetCookies?: boolean;
  /** True where Next.js renders a page in advance, and code that needs a visitor must wait for ever. */
  readonly isInAdvance?: boolean;
  /** The cookies that were set, with their attributes. */
  readonly cookies: [name: string, value: string, attributes: object][];
  /** The work that `after` was given. */
  readonly after: unknown[];
}

const scopes = new AsyncLocalStorage<Scope>();
const forwarded = new WeakMap<Response, Headers>();

/** Runs code in a request of Next.js. */
export function inRequest<Result>(
  headers: Readonly<Record<string, string>>,
  work: (scope: Scope) => Result,
  more: Pick<Scope, 'error' | 'canSetCookies' | 'isInAdvance'> = {},
): Result {
  const scope: Scope = { headers: new Headers(headers), cookies: [], after: [], ...more };
  return scopes.run(scope, () => work(scope));
}

/** The headers with which an answer of a proxy lets its request go on. */
export function forwardedBy(response: Response): Headers {
  return forwarded.get(response) ?? new Headers();
}

function scopeOf(name: string): Scope {
  const scope = scopes.getStore();
  if (!scope) {
    throw new Error(`\`${name}\` was called outside a request scope.`);
  }
  return scope;
}

/**
 * Stands in for `NextResponse`. Its `cookies` know those of the headers at the beginning, and those that were set with
 * `set()`. Each `set()` writes all of these anew, in the place of whatever `Set-Cookie` headers there are.
 */
export class NextResponseStandIn extends Response {
  readonly cookies: { set(name: string, value: string, attributes?: object): void };

  constructor(body: string | null = null, init: ResponseInit = {}) {
    super(body, init);
    const { headers } = this;
    const lines = new Map(headers.getSetCookie().map((line) => [line.split('=', 1)[0] ?? '', line]));
    this.cookies = {
      set: (name, value, attributes = {}) => {
        const { path = '/', maxAge } = { path: undefined, maxAge: undefined, ...attributes };
        const age = typeof maxAge === 'number' ? `; Max-Age=${maxAge}` : '';
        lines.set(name, `${name}=${encodeURIComponent(value)}; Path=${path}${age}`);
        headers.delete('set-cookie');
        for (const line of lines.values()) {
          headers.append('set-cookie', line);
        }
      },
    };
  }
}

/** Stands in for `next/headers.js`. */
export const headersModule = {
  headers: async () => {
    const { headers, error } = scopeOf('headers');
    if (error) {
      throw error;
    }
    return headers;
  },
  cookies: async () => {
    const { canSetCookies, cookies } = scopeOf('cookies');
    return {
      set: (name: string, value: string, attributes: object) => {
        if (!canSetCookies) {
          throw new Error('Cookies can only be modified in a Server Action or Route Handler.');
        }
        cookies.push([name, value, attributes]);
      },
    };
  },
};

/** Stands in for `next/server.js`. */
export const serverModule = {
  connection: async () => {
    if (scopeOf('connection').isInAdvance) {
      await new Promise(() => undefined);
    }
  },
  after: (work: unknown) => void scopeOf('after').after.push(work),
  NextResponse: {
    next: ({ request }: { request: { headers: Headers } }) => {
      const response = new NextResponseStandIn();
      forwarded.set(response, request.headers);
      return response;
    },
  },
};
