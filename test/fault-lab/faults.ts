import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { FetchApi, TargetClientConfig } from '../../src/index.js';
import type { Fault } from '../../src/testing/edge.js';

/** What of the client a fault meets. */
export const TARGETS = ['artifact', 'delivery', 'geo', 'notifications'] as const;
export type Target = (typeof TARGETS)[number];

/** When it strikes: before the first answer, behind the first, and twice in a life of traffic. */
export const PHASES = ['cold', 'warm', 'mid-life'] as const;
export type Phase = (typeof PHASES)[number];

/** What a fault may be made of. */
export interface Scene {
  /** The JSON of the answer that would have been given. */
  readonly good: string;
  /** Its ETag, of an artifact. */
  readonly etag: string;
  /** Another host, which counts what reaches it. */
  readonly otherUrl: string;
  /** The path that is asked. */
  readonly path: string;
}

/** How a fault is played. */
export type Play =
  /** By a switch of the local edge. */
  | { readonly by: 'edge'; readonly fault: (scene: Scene) => Fault }
  /** On the bare socket, when a request has come. */
  | { readonly by: 'socket'; readonly answer: (socket: Socket, scene: Scene) => void }
  /** Nobody listens any more. */
  | { readonly by: 'closed port' }
  /** The name has no address any more. */
  | { readonly by: 'dns' }
  /** The certificate is one that nobody vouches for. */
  | { readonly by: 'tls' }
  /** An injected fetch. */
  | { readonly by: 'fetch'; readonly fetchApi: FetchApi }
  /** The clock is wrong by so much, and nothing else is. */
  | { readonly by: 'clock'; readonly jumpMs: number }
  /** The artifact is a file, and something is done to it; what it returns ends that. */
  | { readonly by: 'file'; readonly spoil: (path: string, good: string) => () => void }
  /** The caller's own parts misbehave for as long as the client lives, and the edge answers 500 now and then. */
  | { readonly by: 'caller'; readonly config: Partial<TargetClientConfig> };

/** A cell, or a row or column of cells. */
export type Cells = Target | Phase | `${Target} ${Phase}`;

/** One row of the matrix. */
export interface FaultRow {
  readonly name: string;
  /** What the client does about it, in a few words. */
  readonly ours: string;
  readonly play: Play;
  /** What the error that names the fault has in its code, status, message or cause. */
  readonly shows: RegExp;
  /** The same, where a target has another word for it. */
  readonly showsBy?: Partial<Readonly<Record<Target, RegExp>>>;
  /** HTTP requests that one try may cost. @default 1 */
  readonly requestsPerTry?: number;
  /** Whether a notification that met it is given up: the edge has refused it. */
  readonly isRefusal?: boolean;
  /** How long it lasts at least, in ms, when it meets the artifact of a cold or a warm client. */
  readonly lastsMs?: number;
  /** Whether its cells take turns, so that they do not starve each other. */
  readonly isHeavy?: boolean;
  /** Cells that do not apply, and why. */
  readonly excused?: Partial<Readonly<Record<Cells, string>>>;
}

/** Why a cell does not apply, if it does not. */
export function excuseOf({ excused }: FaultRow, target: Target, phase: Phase): string | undefined {
  return excused?.[target] ?? excused?.[phase] ?? excused?.[`${target} ${phase}`];
}

const VERSIONS_ONLY = 'Only the artifact has a version and a date.';
const HOLDS_BODY = 'A 304 is a good answer when the client has a body.';
const CONFIRMS = 'A 204 is a good answer to a delivery call, and it confirms notifications.';
const BODY = /ERR_TARGET_INVALID_RESPONSE/;
const UNUSABLE = { artifact: /ERR_TARGET_ARTIFACT/ };
const NETWORK = /ERR_TARGET_NETWORK/;
const CUT_OFF = /ERR_TARGET_TIMEOUT/;
const FETCH = /ERR_TARGET_(NETWORK|INVALID_RESPONSE)/;

function status(code: number, headers: Record<string, string> = {}): Play {
  return { by: 'edge', fault: () => ({ kind: 'status', status: code, headers }) };
}

function body(text: string, contentType?: string): Play {
  return { by: 'edge', fault: () => ({ kind: 'body', body: text, ...(contentType && { contentType }) }) };
}

function always(fault: Fault): Play {
  return { by: 'edge', fault: () => fault };
}

function raw(answer: string | Buffer): Play {
  return { by: 'socket', answer: (socket) => socket.end(answer) };
}

const unsettled = () => new Promise<never>(() => undefined);
const throwing = () => {
  throw new Error('a listener that throws');
};
const rejecting = () => Promise.reject(new Error('a listener that rejects'));

function listeners(listener: () => unknown): Partial<TargetClientConfig> {
  const names = ['clientReady', 'artifactDownloadSucceeded', 'artifactDownloadFailed'] as const;
  const more = [
    'geoLocationUpdated',
    'sendNotificationError',
    'statusChanged',
    'circuitBreakerChanged',
  ] as const;
  return { events: Object.fromEntries([...names, ...more].map((name) => [name, listener])) };
}

function logger(log: () => unknown): Partial<TargetClientConfig> {
  return {
    logger: { debug: log, info: log, warn: log, error: log } as NonNullable<TargetClientConfig['logger']>,
  };
}

function store(
  get: () => Promise<unknown>,
  set: () => Promise<unknown> = unsettled,
): Partial<TargetClientConfig> {
  return { artifactStore: { get, set } };
}

const FILES_ONLY = 'Only the artifact can be a file.';
const FILE_EXCUSED = {
  delivery: FILES_ONLY,
  geo: FILES_ONLY,
  notifications: FILES_ONLY,
};

function file(spoil: (path: string, good: string) => (() => void) | undefined, shows: RegExp) {
  const play = {
    by: 'file',
    spoil: (path: string, good: string) => spoil(path, good) ?? (() => undefined),
  } as const;
  return { play, shows, excused: FILE_EXCUSED };
}

const half = (text: string) => text.slice(0, text.length / 2);

/** Puts another file in the place of one, as deployments do. */
function swap(path: string, text: string): void {
  writeFileSync(`${path}.next`, text);
  renameSync(`${path}.next`, path);
}

function swapOften(path: string, good: string): () => void {
  let turn = 0;
  const texts = [half(good), '', good.replace('"version"', '"versions"')];
  const timer = setInterval(() => {
    turn += 1;
    swap(path, texts[turn % texts.length] ?? '');
  }, 5);
  swap(path, half(good));
  return () => clearInterval(timer);
}

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
const STORED_ONLY = 'Only the artifact is stored.';
const STORE_EXCUSED = {
  delivery: STORED_ONLY,
  geo: STORED_ONLY,
  notifications: STORED_ONLY,
};

/** Every fault of the matrix. */
export const FAULTS: readonly FaultRow[] = [
  {
    name: '500 forever',
    ours: 'tries again a few times in a minute, with growing pauses',
    play: status(500),
    shows: /status 500/,
    lastsMs: 60_000,
  },
  {
    name: '503 with Retry-After',
    ours: 'waits as long as the answer asks, if the time limit allows it',
    play: status(503, { 'Retry-After': '2' }),
    shows: /status 503/,
  },
  ...[401, 403, 404].map((code) => ({
    name: String(code),
    ours: 'fails this call; asks again with the next one, because a key may be switched on later',
    play: status(code),
    shows: new RegExp(`status ${code}`),
    isRefusal: true,
  })),
  {
    name: '413',
    ours: 'splits a call with several notifications; gives up a single one, with an event',
    play: status(413),
    shows: /status 413/,
    isRefusal: true,
  },
  {
    name: '429',
    ours: 'tries again later; sends fewer notifications at a time',
    play: status(429),
    shows: /status 429/,
  },
  {
    name: 'HTML with 200',
    ours: 'reports an error; takes nothing',
    play: body('<!doctype html><title>Sign in</title>', 'text/html'),
    shows: BODY,
    showsBy: UNUSABLE,
  },
  {
    name: 'empty 200',
    ours: 'reports an error; takes nothing',
    play: body(''),
    shows: BODY,
    showsBy: UNUSABLE,
  },
  {
    name: '`null` with 200',
    ours: 'reports an error; takes nothing',
    play: body('null'),
    shows: BODY,
    showsBy: UNUSABLE,
  },
  {
    name: '204',
    ours: 'reports an error, because there is no artifact or place in it',
    play: status(204),
    shows: BODY,
    showsBy: UNUSABLE,
    excused: {
      delivery: CONFIRMS,
      notifications: CONFIRMS,
    },
  },
  {
    name: 'JSON of a wrong shape',
    ours: 'checks the shape first; reports an error; takes nothing',
    play: body('{"hello":"world"}'),
    shows: BODY,
    showsBy: UNUSABLE,
  },
  {
    name: 'artifact of an unknown major version',
    ours: 'refuses it; keeps the last good one',
    play: {
      by: 'edge',
      fault: ({ good }) => ({
        kind: 'body',
        body: JSON.stringify({ ...JSON.parse(good), version: '2.0.0' }),
      }),
    },
    shows: /ERR_TARGET_ARTIFACT .*version/,
    excused: { delivery: VERSIONS_ONLY, geo: VERSIONS_ONLY, notifications: VERSIONS_ONLY },
  },
  {
    name: 'truncated JSON with a valid ETag, then 304',
    ours: 'changes ETag and rules together, or neither of them',
    play: {
      by: 'edge',
      fault: ({ good, etag }) => ({
        kind: 'status',
        status: 200,
        headers: { ETag: etag, 'Content-Type': 'application/json' },
        body: good.slice(0, good.length / 2),
      }),
    },
    shows: BODY,
    showsBy: UNUSABLE,
  },
  {
    name: '304 although the client has no body',
    ours: 'reports an error; sends an ETag only when it has the body',
    play: status(304),
    shows: BODY,
    showsBy: {
      artifact: /ERR_TARGET_ARTIFACT|status 304/,
      delivery: /status 304/,
      notifications: /status 304/,
    },
    isRefusal: true,
    excused: {
      'artifact warm': HOLDS_BODY,
      'artifact mid-life': HOLDS_BODY,
    },
  },
  {
    name: 'older artifact after a newer one',
    ours: 'keeps the newer one, unless `refresh()` asked',
    play: {
      by: 'edge',
      fault: ({ good }) => {
        const artifact = JSON.parse(good);
        const meta = { ...artifact.meta, generatedAt: '2001-01-01T00:00:00Z' };
        return {
          kind: 'status',
          status: 200,
          headers: { ETag: '"older"', 'Content-Type': 'application/json' },
          body: { ...artifact, meta },
        };
      },
    },
    shows: /older artifact/,
    excused: {
      'artifact cold': 'There is no artifact yet that it could be older than.',
      delivery: VERSIONS_ONLY,
      geo: VERSIONS_ONLY,
      notifications: VERSIONS_ONLY,
    },
  },
  {
    name: 'huge body (64 MiB)',
    ours: 'stops reading at a limit; bytes are counted after decoding',
    play: always({ kind: 'huge' }),
    shows: /INVALID_RESPONSE .*more than \d+ bytes/,
    isHeavy: true,
  },
  {
    name: 'gzip bomb',
    ours: 'stops reading at a limit; bytes are counted after decoding',
    play: always({ kind: 'gzip', variant: 'bomb' }),
    shows: /INVALID_RESPONSE .*more than \d+ bytes/,
    isHeavy: true,
  },
  {
    name: 'invalid gzip',
    ours: 'reports an error that names the fault',
    play: always({ kind: 'gzip', variant: 'invalid' }),
    shows: /INVALID_RESPONSE .*Z_DATA_ERROR/,
  },
  {
    name: 'truncated gzip',
    ours: 'reports an error, because the decoded part is not complete JSON',
    play: always({ kind: 'gzip', variant: 'truncated' }),
    shows: /(INVALID_RESPONSE|ARTIFACT) .*not JSON/,
    excused: { geo: 'The headers of the answer name the place, so its body does not count.' },
  },
  {
    name: 'reset before headers',
    ours: 'tries again within the time limit',
    play: always({ kind: 'reset' }),
    shows: NETWORK,
  },
  {
    name: 'reset mid-body',
    ours: 'tries again within the time limit',
    play: always({ kind: 'resetMidBody' }),
    shows: NETWORK,
  },
  {
    name: 'body shorter than its Content-Length',
    ours: 'tries again within the time limit; never takes half an answer',
    play: always({ kind: 'truncate' }),
    shows: NETWORK,
  },
  {
    name: 'hang without a byte',
    ours: 'gives up at the time limit',
    play: always({ kind: 'hang' }),
    shows: CUT_OFF,
  },
  {
    name: 'stall after headers',
    ours: 'gives up at the time limit, which covers the body too',
    play: always({ kind: 'stall' }),
    shows: CUT_OFF,
  },
  {
    name: 'drip of one byte per 1.5 s',
    ours: 'gives up at the time limit, which covers the body too',
    play: always({ kind: 'drip', intervalMs: 1500 }),
    shows: CUT_OFF,
  },
  {
    name: 'redirect loop',
    ours: 'follows no redirect of a delivery call, and at most three of a download',
    play: {
      by: 'edge',
      fault: ({ path }) => ({ kind: 'status', status: 307, headers: { Location: path } }),
    },
    shows: /(status 307|redirected too often)/,
    requestsPerTry: 4,
    isRefusal: true,
  },
  {
    name: 'redirect to another host',
    ours: 'sends no id of a visitor to another host',
    play: {
      by: 'edge',
      fault: ({ otherUrl, path }) => ({
        kind: 'status',
        status: 307,
        headers: { Location: otherUrl + path },
      }),
    },
    shows: /(status 307|redirected to another host)/,
    isRefusal: true,
    excused: {
      artifact: 'The rules are the same for everybody, so their download may go to another host.',
    },
  },
  {
    name: 'DNS failure',
    ours: 'tries again within the time limit',
    play: { by: 'dns' },
    shows: /ERR_TARGET_NETWORK .*(ENOTFOUND|ECONNRESET)/,
  },
  {
    name: 'connection refused',
    ours: 'tries again within the time limit',
    play: { by: 'closed port' },
    shows: /ERR_TARGET_NETWORK .*ECONN/,
  },
  {
    name: 'TLS failure',
    ours: 'reports an error that names the fault; sends nothing without TLS',
    play: { by: 'tls' },
    shows: /ERR_TARGET_NETWORK .*(SELF_SIGNED|SIGNATURE|CERT|ECONNRESET)/,
  },
  {
    name: 'not HTTP at all',
    ours: 'reports an error that names the fault',
    play: raw('SSH-2.0-OpenSSH_9.6\r\n'),
    shows: NETWORK,
  },
  {
    name: 'headers without end',
    ours: 'reports an error at the limit that Node.js has for headers',
    play: {
      by: 'socket',
      answer: (socket) =>
        socket.write(`HTTP/1.1 200 OK\r\n${`X-Filler: ${'a'.repeat(1000)}\r\n`.repeat(100)}`),
    },
    shows: NETWORK,
  },
  {
    name: 'two different Content-Lengths',
    ours: 'reports an error that names the fault',
    play: raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 200\r\n\r\n{}'),
    shows: NETWORK,
  },
  {
    name: 'connection closed after the request',
    ours: 'tries again within the time limit',
    play: raw(''),
    shows: NETWORK,
  },
  {
    name: 'fetch that never settles',
    ours: 'gives up at the time limit, with a timer of its own',
    play: { by: 'fetch', fetchApi: unsettled },
    shows: CUT_OFF,
  },
  {
    name: 'fetch that ignores abort',
    ours: 'gives up at the time limit, with a timer of its own',
    play: {
      by: 'fetch',
      fetchApi: () =>
        new Promise((resolve) => {
          setTimeout(() => resolve(new Response('{}')), 45_000).unref();
        }),
    },
    shows: CUT_OFF,
  },
  {
    name: 'fetch that throws synchronously',
    ours: 'reports a `TargetError`, as for any other failure',
    play: {
      by: 'fetch',
      fetchApi: () => {
        throw new RangeError('synchronously');
      },
    },
    shows: FETCH,
  },
  {
    name: 'fetch that rejects with null',
    ours: 'reports a `TargetError`, as for any other failure',
    play: { by: 'fetch', fetchApi: () => Promise.reject(null) },
    shows: FETCH,
  },
  {
    name: 'fetch that resolves to something else than a Response',
    ours: 'reports a `TargetError`, as for any other failure',
    play: { by: 'fetch', fetchApi: (() => Promise.resolve({ ok: true })) as unknown as FetchApi },
    shows: FETCH,
  },
  {
    name: 'fetch whose body never ends',
    ours: 'gives up at the time limit, which covers the body too',
    play: {
      by: 'fetch',
      fetchApi: () => Promise.resolve(new Response(new ReadableStream({ pull: unsettled }))),
    },
    shows: CUT_OFF,
  },
  {
    name: 'listener that throws',
    ours: 'logs the error; calls the other listeners',
    play: { by: 'caller', config: listeners(throwing) },
    shows: /status 500/,
  },
  {
    name: 'listener that rejects',
    ours: 'logs the error; calls the other listeners',
    play: { by: 'caller', config: listeners(rejecting) },
    shows: /status 500/,
  },
  {
    name: 'listener that hangs',
    ours: 'does not wait for it',
    play: { by: 'caller', config: listeners(unsettled) },
    shows: /status 500/,
  },
  {
    name: 'logger that throws or rejects',
    ours: 'logs nothing; everything else goes on',
    play: {
      by: 'caller',
      config: { logger: { debug: throwing, info: rejecting, warn: rejecting, error: throwing } },
    },
    shows: /status 500/,
  },
  {
    name: 'logger that hangs',
    ours: 'does not wait for it',
    play: { by: 'caller', config: logger(unsettled) },
    shows: /status 500/,
  },
  {
    name: 'store that throws',
    ours: 'logs one warning; uses the download',
    play: { by: 'caller', config: store(throwing, throwing) },
    shows: /status 500/,
    excused: STORE_EXCUSED,
  },
  {
    name: 'store that hangs',
    ours: 'does not wait for it',
    play: { by: 'caller', config: store(unsettled) },
    shows: /status 500/,
    excused: STORE_EXCUSED,
  },
  {
    name: 'stored artifact corrupt',
    ours: 'logs one warning; uses the download',
    play: { by: 'caller', config: store(async () => '\0\u{fffd}{') },
    shows: /status 500/,
    excused: STORE_EXCUSED,
  },
  {
    name: 'stored artifact truncated',
    ours: 'logs one warning; uses the download',
    play: { by: 'caller', config: store(async () => '{"version":"1.0.0","rules":{"mbo') },
    shows: /status 500/,
    excused: STORE_EXCUSED,
  },
  {
    name: 'store read-only, or its disk full',
    ours: 'logs one warning; decisions go on',
    play: { by: 'caller', config: store(async () => undefined, failing('ENOSPC')) },
    shows: /status 500/,
    excused: STORE_EXCUSED,
  },
  {
    name: 'store killed while writing',
    ours: 'refuses half an artifact; the store itself is your own code',
    play: { by: 'caller', config: {} },
    shows: /status 500/,
    excused: {
      artifact:
        'The package has no store of its own. The rows “corrupt” and “truncated” have what such a store returns.',
      ...STORE_EXCUSED,
    },
  },
  {
    name: 'artifact file missing',
    ours: 'keeps the last good one; goes on looking for the file',
    ...file((path) => void rmSync(path, { force: true }), /ERR_TARGET_ARTIFACT .*ENOENT/),
  },
  {
    name: 'artifact file truncated',
    ours: 'takes the file as a whole or not at all',
    ...file((path, good) => void writeFileSync(path, half(good)), /ERR_TARGET_ARTIFACT .*not JSON/),
  },
  {
    name: 'artifact file is a directory',
    ours: 'keeps the last good one',
    ...file((path) => {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      return undefined;
    }, /ERR_TARGET_ARTIFACT .*no regular file/),
  },
  {
    name: 'artifact file unreadable',
    ours: 'keeps the last good one',
    // Of a link to itself, for permissions keep out everybody but the superuser.
    ...file((path) => {
      rmSync(path, { force: true });
      symlinkSync(path, path);
      return undefined;
    }, /ERR_TARGET_ARTIFACT .*ELOOP/),
  },
  {
    name: 'artifact file replaced by half a file while it is read',
    ours: 'keeps the last good one; takes no file before it has checked the whole',
    ...file(swapOften, /ERR_TARGET_ARTIFACT /),
  },
  {
    name: 'clock jumps forwards',
    ours: 'measures time without the system clock',
    play: { by: 'clock', jumpMs: 400 * 24 * 3600_000 },
    shows: /./,
  },
  {
    name: 'clock jumps backwards',
    ours: 'measures time without the system clock',
    play: { by: 'clock', jumpMs: -400 * 24 * 3600_000 },
    shows: /./,
  },
];
