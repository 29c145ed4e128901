import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type Finding, fail, ok, warn } from './doctor-check.js';
import { reasonOf } from './shell.js';

/** A host to connect to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** True when the user named the host. Otherwise it is made of the client code. */
  readonly isNamed: boolean;
}

/** The reasons of a connection on which something else than TLS was spoken. */
const NO_TLS = /WRONG_VERSION_NUMBER|EPROTO|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/i;

/** Tells whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host);
}

/** The remedy for an error of the system whose reason says what to do, whoever met it. */
export function remedyForReason(
  reason: string,
  { isLocal, flag }: { readonly isLocal: boolean; readonly flag: string | undefined },
): string | undefined {
  if (NO_TLS.test(reason)) {
    return isLocal
      ? 'this port speaks plain HTTP: give --insecure, which is for a local edge'
      : `this port speaks no TLS: look at the port${flag === undefined ? '' : ` of ${flag}`}; --insecure is for a local edge`;
  }
  if (/ECONNREFUSED/.test(reason) && isLocal) {
    return 'nothing listens there: is the edge running, and is the port right?';
  }
  if (/ECONNREFUSED/.test(reason) && flag !== undefined) {
    return `nothing listens there, or a firewall refuses it: look at the port of ${flag}`;
  }
  return /ENOTFOUND|EAI_AGAIN/.test(reason) && flag !== undefined
    ? `look at ${flag}; then at the name server of this machine`
    : undefined;
}

function remedyFrom(error: unknown, { host, isNamed }: Target): string | undefined {
  const flag = isNamed ? '--server-domain' : undefined;
  return remedyForReason(reasonOf(error), { isLocal: isLoopback(host), flag });
}

const DAY_MS = 86_400_000;
const DAYS_BEFORE_END = 14;
/** Reasons for which a certificate is not trusted because nobody known has signed it. */
const UNKNOWN_SIGNERS = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Looks up the addresses of the host. */
export async function checkDns(target: Target): Promise<Finding> {
  const { host, timeoutMs } = target;
  if (isIP(host) !== 0) {
    return ok(`${host} is an address`);
  }
  try {
    const addresses = await within(timeoutMs, lookup(host, { all: true }));
    return ok(`${host} has ${addresses.length === 1 ? '1 address' : `${addresses.length} addresses`}`);
  } catch (error) {
    return fail(
      `${host} has no address (${reasonOf(error)})`,
      remedyFrom(error, target) ??
        'look at the client code: it is the first label of the host; then at the name server of this machine',
    );
  }
}

/** Opens a connection and ends it. */
export async function checkTcp(target: Target): Promise<Finding> {
  const { host, port, timeoutMs } = target;
  const socket = connect({ host, port });
  try {
    await within(
      timeoutMs,
      new Promise((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
    );
    return ok(`port ${port} is open`);
  } catch (error) {
    return fail(
      `${host}:${port} takes no connection (${reasonOf(error)})`,
      remedyFrom(error, target) ??
        'let the firewall of this machine and network pass it, or go through a proxy',
    );
  } finally {
    socket.destroy();
  }
}

interface Greeted {
  readonly protocol: string;
  readonly validTo: number;
  /** The reason for which the certificate is not trusted. */
  readonly distrust: string | undefined;
}

/** Opens a TLS connection, and looks at its certificate. */
export async function checkTls(target: Target, now: number, isChecked: boolean): Promise<Finding> {
  const { host, port, timeoutMs } = target;
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Nothing is sent on this connection. The calls of the client check the certificate themselves.
  const socket = connectTls({ host, port, ...name, rejectUnauthorized: false });
  try {
    const finding = judge(await within(timeoutMs, greeting(socket)), now);
    // Calls pass all the same while certificates are not checked.
    return isChecked || finding.status !== 'fail' ? finding : { ...finding, status: 'warn' };
  } catch (error) {
    return fail(
      `no TLS with ${host}:${port} (${reasonOf(error)})`,
      remedyFrom(error, target) ?? 'something in between cuts TLS off: a firewall or a proxy; ask its owner',
    );
  } finally {
    socket.destroy();
  }
}

function judge({ protocol, validTo, distrust }: Greeted, now: number): Finding {
  if (distrust !== undefined) {
    return fail(distrust, remedyFor(distrust));
  }
  const days = Math.floor((validTo - now) / DAY_MS);
  return days < DAYS_BEFORE_END
    ? warn(
        `${protocol}, the certificate ends in ${days === 1 ? '1 day' : `${days} days`}`,
        'tell the owner of the host',
      )
    : ok(`${protocol}, the certificate is valid for ${days} days`);
}

function remedyFor(distrust: string): string {
  if (UNKNOWN_SIGNERS.has(distrust)) {
    return 'a proxy breaks TLS open: point NODE_EXTRA_CA_CERTS at its certificate';
  }
  if (distrust === 'CERT_HAS_EXPIRED' || distrust === 'CERT_NOT_YET_VALID') {
    return 'look at the clock of this machine, then tell the owner of the host';
  }
  return 'the certificate belongs to another host: look at the host and at proxies in between';
}

function greeting(socket: TLSSocket): Promise<Greeted> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate();
      const error: unknown = socket.authorizationError;
      // Some lines of Node.js give the code, and some the error.
      const distrust = socket.authorized ? undefined : typeof error === 'string' ? error : reasonOf(error);
      resolve({ protocol: socket.getProtocol() ?? 'TLS', validTo: Date.parse(valid_to), distrust });
    });
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

/** Rejects when work takes longer. */
export async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('too late'), { code: 'ETIMEDOUT' })), ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
