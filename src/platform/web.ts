import { toUrl } from '../http/hosts.js';
import type { Platform } from './platform.js';

export type { Files, NodeStream, OpenFile, Timer } from './platform.js';

/**
 * The option stops frameworks from answering calls from their caches. Runtimes that do not know the option refuse it.
 */
const uncached = 'cache' in Request.prototype ? { cache: 'no-store' } : {};

export const loadDefaultFetch: Platform['loadDefaultFetch'] = () => undefined;
/** Every call reads the global `fetch` anew, because frameworks replace it. */
export const defaultFetch: Platform['defaultFetch'] = (url, init) => fetch(url, { ...init, ...uncached });

export const sockets: Platform['sockets'] = undefined;
export const proxies: Platform['proxies'] = undefined;
export const files: Platform['files'] = undefined;
export const processSignals: Platform['processSignals'] = undefined;
export const releaseChannel: Platform['releaseChannel'] = () => undefined;
export const startsAt: Platform['startsAt'] = 'first-call';

export const allowListeners: Platform['allowListeners'] = () => undefined;
export const isNodeStream: Platform['isNodeStream'] = (_body): _body is never => false;

const BYTE = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])';
const IP_V4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
const IP_V6 = /^([\da-f:.]{2,45})(?:%[\w.:-]+)?$/i;

export const isProxy: Platform['isProxy'] = () => false;
export const isIp: Platform['isIp'] = (text) => {
  if (IP_V4.test(text)) {
    return 4;
  }
  const [, address] = IP_V6.exec(text) ?? [];
  return address?.includes(':') && toUrl(`http://[${address}]/`) ? 6 : 0;
};

export const later: Platform['later'] = (act) => void setTimeout(act, 0);
export const unref: Platform['unref'] = (timer) => timer;
export const ref: Platform['ref'] = () => undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const exact = new TextDecoder('utf-8', { fatal: true });

export const fillRandom: Platform['fillRandom'] = (bytes) => void crypto.getRandomValues(bytes);
export const sha256Hex: Platform['sha256Hex'] = async (text) =>
  toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
export const utf8Length: Platform['utf8Length'] = (text) => encoder.encode(text).length;
export const toText: Platform['toText'] = (bytes) => decoder.decode(bytes);
export const toExactText: Platform['toExactText'] = (bytes) => exact.decode(bytes);
export const fromLatin1: Platform['fromLatin1'] = (bytes) => {
  let text = '';
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return text;
};
export const toHex: Platform['toHex'] = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
export const toBase64: Platform['toBase64'] = (bytes) => btoa(fromLatin1(bytes));
export const toBytes: Platform['toBytes'] = (text) => encoder.encode(text);
export const concat: Platform['concat'] = (pieces) => {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
};
