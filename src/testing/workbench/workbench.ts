import type { IncomingMessage, ServerResponse } from 'node:http';
import { toTargetError } from '../../errors.js';
import { readBody } from '../exchange.js';
import { allocationPage } from './allocation-page.js';
import { type BenchEdge, type Fields, type ShownArtifact, ShownArtifacts } from './bench-state.js';
import { changesPage } from './changes-page.js';
import { CLIENT_SCRIPT } from './client-script.js';
import { changeFaults, faultsPage } from './faults-page.js';
import { BASE, notice, PAGES, type Page, type PageName, toDocument } from './layout.js';
import { countOf, livePage, liveRow } from './live-page.js';
import { rulesPage } from './rules-page.js';
import { STYLE } from './style.js';
import { visitorPage } from './visitor-page.js';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** A browser that reads too slowly gets no more rows while this many bytes wait for it. */
const MAX_WAITING_BYTES = 1024 * 1024;
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};
const HTML = 'text/html;charset=utf-8';

/** Pages about a running edge: what arrives, how its rules decide, and faults. They can be seen on this machine only. */
export class Workbench {
  readonly #edge: BenchEdge;
  readonly #hosts: ReadonlySet<string>;
  readonly #artifacts: ShownArtifacts;
  readonly #streams = new Set<() => void>();

  constructor(edge: BenchEdge, port: number) {
    this.#edge = edge;
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
    this.#artifacts = new ShownArtifacts(edge);
  }

  /** Tells whether a request is for the workbench. The edge does not log it then. */
  static takes({ url = '' }: IncomingMessage): boolean {
    return `${pathOf(url)}/`.startsWith(BASE);
  }

  /** Answers a request. */
  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = this.#refusal(message);
    if (refused !== undefined) {
      message.resume();
      send(response, 403, 'text/plain', refused);
      return;
    }
    const name = pathOf(message.url ?? '').slice(BASE.length);
    if (message.method === 'GET' || message.method === 'HEAD') {
      await this.#show(name, message, response);
    } else if (message.method === 'POST' && (name === 'changes' || name === 'faults')) {
      await this.#take(name, message, response);
    } else {
      message.resume();
      send(response, 405, 'text/plain', 'the workbench takes GET, and POST for changes and faults');
    }
  }

  /** Ends the streams of live rows. */
  close(): void {
    for (const end of this.#streams) {
      end();
    }
  }

  /**
   * Says why a request is refused. Another host name is a page that has our address by a trick with DNS. A form of
   * another site has another origin. Other sites may link here, and embed nothing of it.
   */
  #refusal({ headers, method }: IncomingMessage): string | undefined {
    const { host = '', origin } = headers;
    if (!this.#hosts.has(host)) {
      return 'the workbench is at 127.0.0.1 and localhost only';
    }
    if (method === 'POST' && origin !== `http://${host}`) {
      return 'the form belongs to another page';
    }
    const site = headers['sec-fetch-site'] ?? 'none';
    const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
    return site === 'same-origin' || site === 'none' || (isLink && method === 'GET')
      ? undefined
      : 'another site cannot embed the workbench';
  }

  async #show(name: string, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = fieldsOf(new URLSearchParams((message.url ?? '').split('?').slice(1).join('?')));
    const page = PAGES.find(([known]) => known === name)?.[0];
    if (page) {
      send(response, 200, HTML, toDocument(this.#edge.client, await this.#page(page, fields)));
    } else if (name === '') {
      response.writeHead(302, { ...HEADERS, Location: `${BASE}live` }).end();
    } else if (name === 'style.css') {
      send(response, 200, 'text/css', STYLE);
    } else if (name === 'client.js') {
      send(response, 200, 'text/javascript', CLIENT_SCRIPT);
    } else if (name === 'events') {
      this.#stream(message, response);
    } else {
      send(response, 404, 'text/plain', 'the workbench has no such page');
    }
  }

  async #page(name: PageName, fields: Fields): Promise<Page> {
    const edge = this.#edge;
    if (name === 'live') {
      return livePage(edge);
    }
    if (name === 'changes' || name === 'faults') {
      return name === 'changes' ? changesPage(edge, {}) : faultsPage(edge, {});
    }
    let shown: ShownArtifact | undefined;
    try {
      shown = this.#artifacts.now();
    } catch (thrown) {
      const body = notice(`No client can use these rules: ${toTargetError(thrown).message}`, 'no');
      return { ...visitorPage(undefined, {}), name, title: 'Rules that nobody can use', lead: '', body };
    }
    if (name === 'visitor') {
      return visitorPage(shown, fields);
    }
    return name === 'allocation' ? allocationPage(shown, fields) : rulesPage(shown);
  }

  async #take(name: 'changes' | 'faults', message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(message, MAX_BODY_BYTES);
    if (!body) {
      send(response, 413, 'text/plain', 'the form is too large');
      return;
    }
    if (name === 'changes') {
      const page = changesPage(this.#edge, plainFields(body.toString()));
      send(response, 200, HTML, toDocument(this.#edge.client, page));
      return;
    }
    const fields = fieldsOf(new URLSearchParams(body.toString()));
    const problem = changeFaults(this.#edge, fields);
    if (problem === undefined) {
      response.writeHead(303, { ...HEADERS, Location: `${BASE}faults` }).end();
    } else {
      send(response, 400, HTML, toDocument(this.#edge.client, faultsPage(this.#edge, fields, problem)));
    }
  }

  /** Sends each request that arrives as a row, until the browser goes away. */
  #stream({ method }: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
    if (method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    const forget = this.#edge.listen((request) => {
      if (response.writableLength < MAX_WAITING_BYTES) {
        const data = { row: liveRow(request).text, count: countOf(this.#edge.requests.length) };
        response.write(`event: row\ndata: ${JSON.stringify(data)}\n\n`);
      }
    });
    const end = () => {
      forget();
      this.#streams.delete(end);
      response.end();
    };
    this.#streams.add(end);
    response.on('close', end);
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    ...HEADERS,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Returns the path of a target, normalised: `/_workbench/../x` is none of ours. */
function pathOf(url: string): string {
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname : '';
}

function fieldsOf(parameters: URLSearchParams): Fields {
  return Object.fromEntries(parameters);
}

/** Reads a form of the type text/plain, which does not make pasted JSON three times as long. */
function plainFields(body: string): Fields {
  const [, before = '', after = ''] = /^before=(.*?)\r\nafter=(.*?)\r\n$/s.exec(body) ?? [];
  return { before, after };
}
