/** Tells whether a text is a host, with or without a port, and nothing else. */
export function isHost(text: string): boolean {
  return /^[^\s/?#@\\]+$/.test(text) && toUrl(`https://${text}`) !== undefined;
}

/**
 * Returns the host of an http or https URL, with its port unless that is the usual one. The scheme may be missing, as in
 * `//edge.example.com`, and so may everything before the host, as in `edge.example.com/`. Undefined for any other text.
 */
export function hostOfUrl(text: string): string | undefined {
  const written = text.trim();
  if (/^https?:\//i.test(written)) {
    return toUrl(written)?.host || undefined;
  }
  // The port is kept here, because the scheme of the calls decides which port is the usual one.
  const host = (written.startsWith('//') ? AFTER_SLASHES : BEFORE_SLASHES).exec(written)?.[1];
  return host !== undefined && isHost(host) ? host : undefined;
}

const AFTER_SLASHES = /^\/\/(?:[^/?#]*@)?([^/?#]*)/;
const BEFORE_SLASHES = /^([^/]*[^/:])\/+$/;

/**
 * Tells whether two texts name the same host and port, when calls use this scheme. Case and a dot at the end do not
 * matter.
 */
export function isSameHost(one: string, other: string, scheme: 'https' | 'http'): boolean {
  const [first, second] = [one, other].map((host) => {
    const { hostname, port } = toUrl(`${scheme}://${host}`) ?? { hostname: host, port: '' };
    return `${hostname.replace(/\.$/, '')}:${port}`;
  });
  return first === second;
}

/** Tells whether a host is this machine: `127.0.0.0/8`, `::1`, `localhost` and names that end with `.localhost`. */
export function isLoopback(host: string): boolean {
  const name = toUrl(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  return /^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(name);
}

/** Parses a URL. Returns undefined for a text that is none. Jest's jsdom environment has no `URL.canParse`. */
export function toUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** Decodes a part of a URL. A text that cannot be decoded is returned as it is. */
export function decodeUrlPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
