/** Tells whether a text is a host, or a host and its port, and nothing else. */
export function isHost(text: string): boolean {
  return /^[^\s/?#@\\]+$/.test(text) && toUrl(`https://${text}`) !== undefined;
}

/** The host, and the port where it is not the usual one, of an http or https URL; undefined for any other text. */
export function hostOfUrl(text: string): string | undefined {
  const url = /^\s*https?:\/\//i.test(text) ? toUrl(text) : undefined;
  return url?.host || undefined;
}

/** Tells whether two texts name the same host and port, for calls of a scheme: in any case, with or without a last dot. */
export function isSameHost(one: string, other: string, scheme: 'https' | 'http'): boolean {
  const [first, second] = [one, other].map((host) => {
    const { hostname, port } = toUrl(`${scheme}://${host}`) ?? { hostname: host, port: '' };
    return `${hostname.replace(/\.$/, '')}:${port}`;
  });
  return first === second;
}

/** Tells whether a host is this machine itself: `127.0.0.0/8`, `::1`, `localhost` and the names below it. */
export function isLoopback(host: string): boolean {
  const name = toUrl(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  return /^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(name);
}

/** Parses a URL; undefined for a text that is none. Jest's jsdom environment has no `URL.canParse`. */
export function toUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** Decodes a part of a URL; a percent sign that encodes nothing stands for itself. */
export function decodeUrlPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
