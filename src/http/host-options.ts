import { hostOfUrl, isLoopback, isSameHost } from './hosts.js';

/** The options that name a host. */
export interface HostOptions {
  readonly serverDomain?: string | undefined;
  readonly cdnEnvironment?: string | undefined;
  readonly cdnBasePath?: string | undefined;
  readonly onDeviceConfigHostname?: string | undefined;
}

/** The facts, besides the options, that decide the host of delivery calls. */
export interface DeliveryHostContext {
  /** The client's own host, which finds the nearest cluster. */
  readonly ownHost: string;
  readonly scheme: 'https' | 'http';
  readonly warn: (line: string) => void;
}

/**
 * Returns the host for all delivery calls. Undefined when each visitor's calls go to the visitor's own cluster. The
 * client's own host counts as not set: Adobe's samples set it, and visitors would lose their cluster on a fixed host.
 */
export function toServerDomain(options: HostOptions, context: DeliveryHostContext): string | undefined {
  const { ownHost, scheme, warn } = context;
  const host = toHost('serverDomain', options, warn);
  return host === undefined || isSameHost(host, ownHost, scheme) ? undefined : host;
}

/** Returns the host for the artifact and for geo look-ups. Undefined when no option names one. */
export function toCdnHost(options: HostOptions, warn: (line: string) => void): string | undefined {
  // Adobe's samples write the default as `production`, which is not a host.
  const isNamed = options.cdnEnvironment?.toLowerCase() !== 'production';
  return (
    (isNamed ? toHost('cdnEnvironment', options, warn) : undefined) ??
    toHost('cdnBasePath', options, warn) ??
    toHost('onDeviceConfigHostname', options, warn)
  );
}

/**
 * Returns the origin for the artifact and for geo look-ups. It is https, because the rules decide what visitors see,
 * and a look-up sends a visitor's address. Only this machine may be reached over http.
 */
export function cdnOrigin({
  scheme,
  cdnHost,
}: {
  readonly scheme: 'https' | 'http';
  readonly cdnHost: string;
}): string {
  return `${scheme === 'http' && isLoopback(cdnHost) ? 'http' : 'https'}://${cdnHost}`;
}

/** Reads an option that names a host. From a URL, it takes only the host, and warns. */
function toHost(
  name: keyof HostOptions,
  options: HostOptions,
  warn: (line: string) => void,
): string | undefined {
  const written = options[name]?.trim();
  const host = written === undefined ? undefined : hostOfUrl(written);
  if (host !== undefined) {
    warn(`${name} is a host, not a URL: ${host} is used, and nothing else of the URL`);
  }
  return host ?? written;
}
