import { BlockList, isIP } from 'node:net';
import { decodeUrlPart, toUrl } from './hosts.js';

/** A proxy, as a variable of the environment names it. */
export interface HttpProxy {
  readonly hostname: string;
  readonly port: number;
  /** True where the proxy itself is spoken to over TLS. */
  readonly isSecure: boolean;
  /** The value of `Proxy-Authorization`; undefined where the variable has no user. */
  readonly authorization: string | undefined;
}

/** The end of a connection. */
export interface ProxyTarget {
  /** With its colon, as in a `URL`. */
  readonly protocol: string;
  /** A name or an address, with or without the brackets of IPv6. */
  readonly hostname: string;
  readonly port: number;
}

/** Tells which connections go through which proxy. */
export interface ProxyRules {
  /** The proxy of a connection; undefined where it goes straight to its end. */
  proxyOf(target: ProxyTarget): HttpProxy | undefined;
}

/** The part of an environment that is about proxies. */
export interface ProxyEnvironment {
  /** The names of the variables that name a proxy. */
  readonly variableNames: readonly string[];
  /** The name of a variable that names no proxy of HTTP. */
  readonly brokenVariable: string | undefined;
  /** Undefined where no variable names a proxy. */
  readonly rules: ProxyRules | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** One entry of `NO_PROXY`. */
interface NoProxyEntry {
  /** Undefined for every port. */
  readonly port: number | undefined;
  readonly matches: (hostname: string) => boolean;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` as curl and most other programs do: a lower-case name wins over an
 * upper-case one, and a proxy without a scheme is spoken to over plain http.
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
  // A CGI server puts a client's header `Proxy` into it: https://httpoxy.org
  const isForged = name === 'HTTP_PROXY' && variables.REQUEST_METHOD !== undefined;
  const names = isForged ? [name.toLowerCase()] : [name.toLowerCase(), name];
  const found = names.find((one) => variables[one]?.trim());
  return found === undefined ? undefined : { name: found, value: variables[found]?.trim() ?? '' };
}

function toProxy(value: string): HttpProxy | undefined {
  const url = toUrl(value.includes('://') ? value : `http://${value}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') return undefined;
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
  if (entry === '*') return { port: undefined, matches: () => true };
  const [, range = '', bits] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (bits !== undefined) return { port: undefined, matches: addressMatcher(range, Number(bits)) };
  if (isIP(withoutBrackets(entry))) return { port: undefined, matches: addressMatcher(entry) };
  const [, host = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
  const isAddress = isIP(withoutBrackets(host)) > 0;
  return {
    port: port === undefined ? undefined : Number(port),
    matches: isAddress ? addressMatcher(host) : nameMatcher(host.replace(/^\*?\.?/, '')),
  };
}

/** A name stands for itself and for all names below it. */
function nameMatcher(written: string): NoProxyEntry['matches'] {
  const name = comparableName(written);
  const end = `.${name}`;
  return (hostname) => name !== '' && (hostname === name || (hostname.endsWith(end) && !isIP(hostname)));
}

/** An address, or with a number of bits all addresses that begin with these. What is neither holds for nobody. */
function addressMatcher(written: string, bits?: number): NoProxyEntry['matches'] {
  const address = withoutBrackets(written);
  const list = new BlockList();
  try {
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, bits, familyOf(address));
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
