/** A page that a visitor was given. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly setCookies: readonly string[];
}

/** A visitor without a browser: keeps cookies and sends them again. */
export class Visitor {
  readonly #cookies = new Map<string, string>();
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The ids in the cookie `mbox`. */
  get ids(): { readonly session: string | undefined; readonly tntId: string | undefined } {
    const mbox = decodeURIComponent(this.#cookies.get('mbox') ?? '');
    return { session: /session#([^#|]+)/.exec(mbox)?.[1], tntId: /PC#([^#|]+)/.exec(mbox)?.[1] };
  }

  /** Opens a page, as a browser does. Rejects for cookies of Target in an answer that a cache may keep. */
  async open(path: string, init: RequestInit = {}): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(this.#url + path, {
      redirect: 'manual',
      ...init,
      headers: {
        'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64)',
        Accept: 'text/html',
        'Sec-Fetch-Dest': 'document',
        'Sec-Fetch-Mode': 'navigate',
        ...(cookie && { cookie }),
        ...Object.fromEntries(new Headers(init.headers)),
      },
    });
    const setCookies = answer.headers.getSetCookie();
    this.#keep(setCookies);
    const cacheControl = answer.headers.get('cache-control') ?? 'none';
    if (setCookies.some((line) => line.startsWith('mbox')) && !cacheControl.includes('no-store')) {
      throw new Error(`${path}: cookies came with Cache-Control: ${cacheControl}`);
    }
    return { status: answer.status, headers: answer.headers, text: await answer.text(), setCookies };
  }

  #keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/;\s*max-age=0/i.test(line)) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, value);
      }
    }
  }
}
