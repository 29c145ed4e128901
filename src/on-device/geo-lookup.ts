import type { ResolvedConfig } from '../config.js';
import type { Geo } from '../delivery-api.js';
import { messageOf, TargetError, toTargetError } from '../errors.js';
import type { Events } from '../events.js';
import { textOf } from '../http/body.js';
import { within } from '../http/deadline.js';
import { download } from '../http/download.js';
import type { Transport } from '../http/transport.js';
import { isAborted } from '../http/watched-signal.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { Call } from '../request/call.js';
import { UNKNOWN_IP_ADDRESS } from '../request/edge-limits.js';
import { type BoundedCache, createBoundedCache } from './facts/bounded-cache.js';
import { toPlace } from './facts/place.js';

/** What a geo look-up needs. */
export interface GeoOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly events: Events;
  readonly logger: Logger;
  readonly newId: () => string;
}

/** A place of which nothing is known but its address. */
export type AddressOnly = Geo & { readonly ipAddress: string };

/** Finds where a visitor is, or gives back what the request says of it. Never rejects. */
export type GeoLookup = (geo: AddressOnly, limits: Pick<Call, 'timeoutMs' | 'signal'>) => Promise<Geo>;

const MAX_CACHED_ADDRESSES = 10_000;
const CACHED_MS = 60 * 60 * 1000;
const MAX_PLACE_BYTES = 64 * 1024;

/**
 * The place of an IP address, from the CDN (spec 5.6). Looked up once per address and hour; when that fails, the
 * decision is made without it.
 */
export function createGeoLookup({ config, transport, events, logger, newId }: GeoOptions): GeoLookup {
  const url = `${config.scheme}://${config.cdnHost}/v1/geo`;
  const faults = new FaultLog(logger.write, 'geo look-ups work');
  // It makes room for all of its entries at once, and most clients never look a place up: benchmark `memory`.
  let placesByAddress: BoundedCache<Promise<Geo>> | undefined;

  const lookUp = async (ipAddress: string, timeoutMs: number): Promise<Geo> => {
    const { status, headers, body } = await download(transport, {
      what: 'geo look-up',
      url,
      headers: ipAddress === UNKNOWN_IP_ADDRESS ? {} : { 'x-forwarded-for': ipAddress },
      requestId: newId(),
      timeoutMs,
      maxBytes: MAX_PLACE_BYTES,
      retry: config.retry,
      isPersonal: ipAddress !== UNKNOWN_IP_ADDRESS,
    });
    const place = toPlace({ text: textOf(body), headers });
    if (place) return place;
    const result = 'was answered with nothing that names a place';
    throw new TargetError('ERR_TARGET_INVALID_RESPONSE', `the geo look-up ${result}`, { status });
  };

  /** Shared by calls with other timeouts, so that it goes on for the next ones when the first cannot wait. */
  const startLookup = (ipAddress: string, timeoutMs: number): Promise<Geo> => {
    const place = lookUp(ipAddress, Math.max(timeoutMs, config.timeoutMs));
    const places = placesByAddress ?? createBoundedCache(MAX_CACHED_ADDRESSES, CACHED_MS);
    placesByAddress = places;
    places.set(ipAddress, place);
    place.then(
      () => faults.worked(),
      (thrown: unknown) => {
        if (places.get(ipAddress) === place) places.delete(ipAddress);
        faults.failed(messageOf(thrown));
      },
    );
    return place;
  };

  return async (geo, { timeoutMs, signal }) => {
    const known = placesByAddress?.get(geo.ipAddress);
    const place = known ?? startLookup(geo.ipAddress, timeoutMs);
    try {
      const found = await within({ timeoutMs, signal }, () => place, cutOff);
      const geoContext = { ...geo, ...found };
      if (!known) events.emit({ type: 'geoLocationUpdated', geoContext: { ...geoContext } });
      return geoContext;
    } catch (thrown) {
      const isFailure = !known && !isAborted(signal);
      if (isFailure)
        events.emit({
          type: 'geoLocationUpdated',
          geoContext: { ...geo },
          error: toTargetError(thrown),
        });
      return geo;
    }
  };
}

/** Whether the address is all that is known; whoever knows more is believed. */
export function needsLookup(geo: Geo | undefined): geo is AddressOnly {
  return geo?.ipAddress !== undefined && Object.keys(geo).length === 1;
}

function cutOff(limit: 'deadline' | 'signal'): TargetError {
  if (limit === 'signal') return new TargetError('ERR_TARGET_ABORTED', 'the geo look-up was aborted');
  return new TargetError('ERR_TARGET_TIMEOUT', 'the geo look-up took longer than its call may take');
}
