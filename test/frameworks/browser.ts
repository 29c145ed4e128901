import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A page that a browser was given. */
export interface Page {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly setCookies: readonly string[];
  /** What the page shows: what its visit was answered. */
  readonly shown: unknown;
}

/** How a page is asked for. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A browser: it keeps cookies and sends them again. */
export class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #agent: Agent;
  readonly #url: string;

  constructor(url: string, agent = new Agent({ keepAlive: true, maxSockets: 12 })) {
    this.#url = url;
    this.#agent = agent;
  }

  /** Another browser on the same connections. */
  other(): Browser {
    return new Browser(this.#url, this.#agent);
  }

  /** A cookie that the browser has. */
  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  /** Sets a cookie, as another site or a script would. */
  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** Opens a page. Rejects for an answer with cookies that a cache may keep. */
  async open(query: string, { method = 'GET', headers = {} }: Asking = {}): Promise<Page> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const asked = request(`${this.#url}/?${query}`, {
      agent: this.#agent,
      method,
      headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64)', ...(cookie && { cookie }), ...headers },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const body = await text(answer);
    const setCookies = answer.headers['set-cookie'] ?? [];
    this.#keep(setCookies);
    const isTargets = setCookies.some((line) => line.startsWith('mbox'));
    if (isTargets && answer.headers['cache-control'] !== 'private, no-store') {
      throw new Error(`cookies came with Cache-Control: ${answer.headers['cache-control']}`);
    }
    const shown = method === 'GET' && answer.statusCode === 200 ? JSON.parse(body) : body;
    return { status: answer.statusCode ?? 0, headers: answer.headers, setCookies, shown };
  }

  /** Closes its connections, and those of the browsers that share them. */
  close(): void {
    this.#agent.destroy();
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
