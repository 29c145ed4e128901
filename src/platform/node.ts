import { createHash, randomFillSync } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import timers from 'node:timers';
import { fileURLToPath } from 'node:url';
import { TextDecoder, types } from 'node:util';
import { Connections, dropIdleOf, isOfAgents, lookUp } from '../http/connections.js';
import type { FetchApi } from '../http/fetch-api.js';
import { readProxies } from '../http/proxy-rules.js';
import type { NodeStream, Platform } from './platform.js';

export type { Files, NodeStream, OpenFile, Timer } from './platform.js';

let nodeFetch: FetchApi | undefined;
let loading: Promise<void> | undefined;

export const loadDefaultFetch: Platform['loadDefaultFetch'] = () => {
  if (nodeFetch) {
    return undefined;
  }
  // The codings are loaded now and not with this file, because node:zlib takes milliseconds to load.
  loading ??= Promise.all([import('node-fetch'), import('../http/content-codings.js')])
    .then(([loaded, { withDecodedBody }]) => {
      const send = loaded.default as unknown as FetchApi;
      nodeFetch = (url, init) => send(url, init).then(withDecodedBody);
    })
    .finally(() => {
      loading = undefined;
    });
  return loading;
};

/**
 * The default fetch is node-fetch. It only listens for `abort`, so it takes any object with the methods of a signal.
 */
export const defaultFetch: Platform['defaultFetch'] = Object.assign(
  ((url, init) =>
    nodeFetch
      ? nodeFetch(url, init)
      : Promise.reject(new Error('node-fetch is not loaded'))) satisfies FetchApi,
  { takesAnySignal: true },
);

export const sockets: Platform['sockets'] = {
  open: (proxies) => new Connections(proxies),
  isOfAgents,
  dropIdleOf,
  lookUp,
};
export const proxies: Platform['proxies'] = { read: () => readProxies(process.env) };

export const files: Platform['files'] = {
  open: async (url) => {
    // O_NONBLOCK lets a pipe be opened at once. Opening would wait for a writer, which may never come.
    const file = await open(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK);
    return {
      isRegular: async () => (await file.stat()).isFile(),
      read: async (maxBytes) => {
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(maxBytes) });
        return buffer.subarray(0, bytesRead);
      },
      close: () => file.close(),
    };
  },
  sha256: (bytes) => createHash('sha256').update(bytes).digest('base64'),
};

export const processSignals: Platform['processSignals'] = process;
export const releaseChannel: Platform['releaseChannel'] = () => process.channel?.unref();
export const startsAt: Platform['startsAt'] = 'create';

export const allowListeners: Platform['allowListeners'] = (signal) => {
  try {
    // Older releases of Node.js take a limit of 0 for none at all: `getMaxListeners` throws, which undici calls.
    setMaxListeners(Number.POSITIVE_INFINITY, signal);
  } catch {
    // A signal of jsdom is not one of Node's event targets, and has no limit.
  }
};
export const isNodeStream: Platform['isNodeStream'] = (body): body is NodeStream => {
  const { on, destroy, pipe, readableEnded } = (body ?? {}) as Partial<Readable>;
  // Streams of any copy of Node's are accepted, such as those of the package readable-stream.
  const isStream = typeof on === 'function' && typeof destroy === 'function' && typeof pipe === 'function';
  return isStream && typeof readableEnded === 'boolean';
};
export const isProxy: Platform['isProxy'] = types.isProxy;
export const isIp: Platform['isIp'] = isIP;

/**
 * The global is read at each call, because a test may replace it with a fake clock. Jest's jsdom environment has none.
 */
export const later: Platform['later'] = (act) =>
  void (typeof setImmediate === 'function' ? setImmediate(act) : timers.setImmediate(act));
/** A timer of jsdom or of a fake clock may be a number, which has no `unref`. */
export const unref: Platform['unref'] = (timer) => {
  timer?.unref?.();
  return timer;
};
export const ref: Platform['ref'] = (timer) => void timer?.ref?.();

export const fillRandom: Platform['fillRandom'] = (bytes) => void randomFillSync(bytes);
export const sha256Hex: Platform['sha256Hex'] = (text) => createHash('sha256').update(text).digest('hex');
export const utf8Length: Platform['utf8Length'] = (text) => Buffer.byteLength(text);
export const toText: Platform['toText'] = (bytes) => viewOf(bytes).toString('utf8');
export const toExactText: Platform['toExactText'] = (bytes) => exact.decode(bytes);
export const fromLatin1: Platform['fromLatin1'] = (bytes) => viewOf(bytes).toString('latin1');
export const toHex: Platform['toHex'] = (bytes) => viewOf(bytes).toString('hex');
export const toBase64: Platform['toBase64'] = (bytes) => viewOf(bytes).toString('base64');
export const toBytes: Platform['toBytes'] = (text) => Buffer.from(text);
export const concat: Platform['concat'] = (pieces) => Buffer.concat(pieces);

/** Jest's jsdom environment has no global `TextDecoder`. */
const exact = new TextDecoder('utf-8', { fatal: true });

/** Makes a view of the same bytes, with Node's methods that turn bytes into text. */
function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
