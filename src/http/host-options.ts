import { hostOfUrl, isLoopback, isSameHost } from './hosts.js';

/** The options that name a host. */
export interface HostOptions {
  readonly serverDomain?: string | undefined;
  readonly cdnEnvironment?: string | undefined;
  readonly cdnBasePath?: string | undefined;
  readonly onDeviceConfigHostname?: string | undefined;
}

/** What the host of delivery calls depends on besides its option. */
export interface DeliveryHostContext {
  /** The client's own name, which finds the nearest cluster. */
  readonly ownHost: string;
  readonly scheme: 'https' | 'http';
  readonly warn: (line: string) => void;
}

/**
 * The host that takes every delivery call; undefined where each visitor's cluster takes its own. The client's own name
 * counts as not set: samples of Adobe set it, and with a fixed host visitors would lose their cluster.
 */
export function toServerDomain(options: HostOptions, context: DeliveryHostContext): string | undefined {
  const { ownHost, scheme, warn } = context;
  const host = toHost('serverDomain', options, warn);
  return host === undefined || isSameHost(host, ownHost, scheme) ? undefined : host;
}

/** The host of the artifact and of geo look-ups, where one is named. */
export function toCdnHost(options: HostOptions, warn: (line: string) => void): string | undefined {
  // Samples of Adobe write the default as `production`, which is no host.
  const isNamed = options.cdnEnvironment?.toLowerCase() !== 'production';
  return (
    (isNamed ? toHost('cdnEnvironment', options, warn) : undefined) ??
    toHost('cdnBasePath', options, warn) ??
    toHost('onDeviceConfigHostname', options, warn)
  );
}

/**
 * The origin of the artifact and of geo look-ups. Rules decide what visitors see, and a look-up tells an address of theirs:
 * neither goes over plain http, except inside this machine.
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

/** A host, which may be written as a URL: then nothing else of the URL counts. */
function toHost(
  name: keyof HostOptions,
  options: HostOptions,
  warn: (line: string) => void,
): string | undefined {
  const written = options[name]?.trim();
  const host = written === undefined ? undefined : hostOfUrl(written);
  if (host !== undefined) warn(`${name} is a host, not a URL: ${host} is used, and nothing else of the URL`);
  return host ?? written;
}
