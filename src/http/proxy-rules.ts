import { BlockList, isIP } from 'node:net';
import { decodeUrlPart, toUrl } from './hosts.js';

/** A proxy that a variable of the environment names. */
export interface HttpProxy {
  readonly hostname: string;
  readonly port: number;
  /** True when the connection to the proxy itself uses TLS. */
  readonly isSecure: boolean;
  /** The value of the header `Proxy-Authorization`. Undefined when the variable names no user. */
  readonly authorization: string | undefined;
}

/** The host and port that a connection is to reach. */
export interface ProxyTarget {
  /** The protocol with its colon, as in a `URL`. */
  readonly protocol: string;
  /** A name or an IP address. An IPv6 address may have brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** The rules that choose the proxy of a connection. */
export interface ProxyRules {
  /** Returns the proxy of a connection. Undefined when the connection goes straight to its target. */
  proxyOf(target: ProxyTarget): HttpProxy | undefined;
}

/** The variables of an environment that are about proxies. */
export interface ProxyEnvironment {
  /** The names of the variables that name a proxy. */
  readonly variableNames: readonly string[];
  /** The name of the first variable whose value is no http or https proxy. Undefined when all are fine. */
  readonly brokenVariable: string | undefined;
  /** The rules that the variables make. Undefined when no variable names a proxy. */
  readonly rules: ProxyRules | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** One entry of `NO_PROXY`. */
interface NoProxyEntry {
  /** The only port that the entry is for. Undefined for all ports. */
  readonly port: number | undefined;
  readonly matches: (hostname: string) => boolean;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` as most programs do: a lower-case name wins over an upper-case one,
 * and a proxy without a scheme is reached over plain http. The model is curl, which reads `http_proxy` in lower case
 * only.
 * @see https://everything.curl.dev/usingcurl/proxies/env
 */
export function readProxies(variables: Variables): ProxyEnvironment {
  const https = variableOf(variables, 'HTTPS_PROXY');
  const http = variableOf(variables, 'HTTP_PROXY');
  const set = [https, http].filter((variable) => variable !== undefined);
  const proxies = new Map([
    ['https:', https && toProxy(https.value)],
    ['http:', http && toProxy(http.value)],
  ]);
  const exceptions = toNoProxyEntries(variableOf(variables, 'NO_PROXY')?.value ?? '');
  const proxyOf = ({ protocol, hostname, port }: ProxyTarget) => {
    const name = comparableName(hostname);
    const isException = exceptions.some(
      (exception) => (exception.port === undefined || exception.port === port) && exception.matches(name),
    );
    return isException ? undefined : proxies.get(protocol);
  };
  return {
    variableNames: set.map(({ name }) => name),
    brokenVariable: set.find(({ value }) => toProxy(value) === undefined)?.name,
    rules: set.length > 0 ? { proxyOf } : undefined,
  };
}

function variableOf(variables: Variables, name: string): Variable | undefined {
  // A CGI server copies the client's header `Proxy` into this variable, so it is not read there (https://httpoxy.org).
  const isForged = name === 'HTTP_PROXY' && textIn(variables, 'REQUEST_METHOD') !== undefined;
  const names = isForged ? [name.toLowerCase()] : [name.toLowerCase(), name];
  const found = names.find((one) => textIn(variables, one)?.trim());
  return found === undefined ? undefined : { name: found, value: textIn(variables, found)?.trim() ?? '' };
}

/** Reads a variable. `process.env` inherits what somebody has put on `Object.prototype`. */
function textIn(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function toProxy(value: string): HttpProxy | undefined {
  const url = toUrl(value.includes('://') ? value : `http://${value}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    return undefined;
  }
  const { protocol, hostname, port, username, password } = url;
  const isSecure = protocol === 'https:';
  const user = `${decodeUrlPart(username)}:${decodeUrlPart(password)}`;
  return {
    hostname: withoutBrackets(hostname),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    isSecure,
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  };
}

function toNoProxyEntries(list: string): readonly NoProxyEntry[] {
  return list.split(/[\s,]+/).flatMap((entry) => (entry === '' ? [] : toNoProxyEntry(entry.toLowerCase())));
}

function toNoProxyEntry(entry: string): NoProxyEntry {
  if (entry === '*') {
    return { port: undefined, matches: () => true };
  }
  const [, range = '', bits] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (bits !== undefined) {
    return { port: undefined, matches: addressMatcher(range, Number(bits)) };
  }
  if (isIP(withoutBrackets(entry))) {
    return { port: undefined, matches: addressMatcher(entry) };
  }
  const [, host = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
  const isAddress = isIP(withoutBrackets(host)) > 0;
  return {
    port: port === undefined ? undefined : Number(port),
    matches: isAddress ? addressMatcher(host) : nameMatcher(host.replace(/^\*?\.?/, '')),
  };
}

/** Makes the function that recognises a name, and all names below it. */
function nameMatcher(written: string): NoProxyEntry['matches'] {
  const name = comparableName(written);
  const end = `.${name}`;
  return (hostname) => name !== '' && (hostname === name || (hostname.endsWith(end) && !isIP(hostname)));
}

/**
 * Makes the function that recognises an address. With `bits`, it recognises all addresses that begin with the same
 * bits. An entry that is no valid address or range matches nothing.
 */
function addressMatcher(written: string, bits?: number): NoProxyEntry['matches'] {
  const address = withoutBrackets(written);
  const list = new BlockList();
  try {
    if (bits === undefined) {
      list.addAddress(address, familyOf(address));
    } else {
      list.addSubnet(address, bits, familyOf(address));
    }
  } catch {
    return () => false;
  }
  return (hostname) => isIP(hostname) > 0 && list.check(hostname, familyOf(hostname));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function comparableName(hostname: string): string {
  return withoutBrackets(hostname.toLowerCase()).replace(/\.$/, '');
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
