import type { IncomingRequest, Visit } from '../../src/adapters/http.js';

/** The request of a browser, and its parts that a test changes. */
export interface Browsing {
  readonly url?: string;
  readonly method?: string;
  readonly ipAddress?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

const USER_AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

/** A browser that keeps the cookies it is given. */
export class Browser {
  readonly cookies = new Map<string, string>();

  /** The request for a page, with the cookies that the browser has. */
  request({ url = 'https://shop.example/', headers = {}, ...rest }: Browsing = {}): IncomingRequest {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: Record<string, string | undefined> = {
      'user-agent': USER_AGENT,
      ...(cookie && { cookie }),
      ...headers,
    };
    return { ...rest, url, header: (name) => all[name] };
  }

  /** Keeps the cookies of an answer. */
  keep(visit: Pick<Visit, 'headers'>): void {
    for (const [name, value] of visit.headers()) {
      if (name !== 'Set-Cookie') {
        continue;
      }
      const [pair = ''] = value.split(';');
      const at = pair.indexOf('=');
      if (/Max-Age=0\b/.test(value)) {
        this.cookies.delete(pair.slice(0, at));
      } else {
        this.cookies.set(pair.slice(0, at), decodeURIComponent(pair.slice(at + 1)));
      }
    }
  }
}
