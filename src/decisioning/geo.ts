import { LRUCache } from 'lru-cache';
import type { ResolvedConfig } from '../config.js';
import type { Geo } from '../delivery-api.js';
import { TargetError, toError } from '../errors.js';
import type { Events } from '../events.js';
import type { Call } from '../request.js';
import type { Transport } from '../transport.js';
import { download } from './download.js';

/** What a geo look-up needs. */
export interface GeoOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly events: Events;
  readonly newId: () => string;
}

/** Finds where a visitor is, or gives back what the request says of it. Never rejects. */
export type GeoLookup = (call: Pick<Call, 'request' | 'timeoutMs' | 'signal'>) => Promise<Geo | undefined>;

const MAX_CACHED_ADDRESSES = 10_000;
const CACHED_MS = 60 * 60 * 1000;
const UNKNOWN_ADDRESS = 'unknownIpAddress';

/**
 * The place of an IP address, from the CDN (spec 5.6). Looked up once per address and hour; when that fails, the
 * decision is made without it.
 */
export function createGeoLookup({ config, transport, events, newId }: GeoOptions): GeoLookup {
  const url = `${config.scheme}://${config.cdnHost}/v1/geo`;
  const placesByAddress = new LRUCache<string, Promise<Geo>>({ max: MAX_CACHED_ADDRESSES, ttl: CACHED_MS });

  const lookUp = async (ipAddress: string, timeoutMs: number): Promise<Geo> => {
    const { headers, body } = await download(transport, {
      what: 'geo look-up',
      url,
      headers: ipAddress === UNKNOWN_ADDRESS ? {} : { 'x-forwarded-for': ipAddress },
      requestId: newId(),
      timeoutMs,
      retry: config.retry,
    });
    return toGeo(headers, parseObject(body.toString('utf8')));
  };

  return async ({ request, timeoutMs, signal }) => {
    const { geo } = request.context;
    if (!geo?.ipAddress || !needsLookup(geo)) return geo;
    const { ipAddress } = geo;
    const cached = placesByAddress.get(ipAddress);
    const found = cached ?? lookUp(ipAddress, timeoutMs);
    if (!cached) placesByAddress.set(ipAddress, found);
    try {
      const geoContext = { ...geo, ...(await unlessCut(found, timeoutMs, signal)) };
      if (!cached) events.emit({ type: 'geoLocationUpdated', geoContext });
      return geoContext;
    } catch (thrown) {
      if (placesByAddress.peek(ipAddress) === found) placesByAddress.delete(ipAddress);
      if (!cached) events.emit({ type: 'geoLocationUpdated', geoContext: geo, error: toError(thrown) });
      return geo;
    }
  };
}

/** A look-up that another call began may go on for longer than this call can wait. */
function unlessCut(found: Promise<Geo>, timeoutMs: number, signal: Call['signal']): Promise<Geo> {
  return new Promise((resolve, reject) => {
    const cut = () => reject(new TargetError('ERR_TARGET_TIMEOUT', 'the geo look-up took too long'));
    const timer = setTimeout(cut, timeoutMs);
    signal?.addEventListener('abort', cut);
    found.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cut);
    });
  });
}

/** Whether the address is all that is known; whoever knows more is believed. */
export function needsLookup(geo: Geo | undefined): boolean {
  return geo?.ipAddress !== undefined && Object.keys(geo).length === 1;
}

type Json = Readonly<Record<string, unknown>>;

function parseObject(text: string): Json {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Json) : {};
  } catch {
    // Some edges answer with headers alone.
    return {};
  }
}

/** The place that headers and body name; the body, which some proxies do not strip, wins. */
function toGeo(headers: { get(name: string): string | null }, body: Json): Geo {
  const text = (name: string): string | undefined => {
    const value = Object.hasOwn(body, name) ? body[name] : headers.get(name);
    return value === null || value === undefined || value === '' ? undefined : String(value);
  };
  const degrees = (name: string): number | undefined => {
    const value = Number.parseFloat(text(name) ?? '');
    return Number.isFinite(value) ? value : undefined;
  };
  const geo: Geo = {
    city: text('x-geo-city'),
    stateCode: text('x-geo-region-code'),
    countryCode: text('x-geo-country-code'),
    latitude: degrees('x-geo-latitude'),
    longitude: degrees('x-geo-longitude'),
    ipAddress: text('x-forwarded-for'),
  };
  return Object.fromEntries(Object.entries(geo).filter(([, value]) => value !== undefined));
}
