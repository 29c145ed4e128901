import type { ResolvedConfig } from '../config/config.js';
import type { Geo } from '../delivery-api.js';
import { messageOf, TargetError, toTargetError } from '../errors.js';
import type { Events } from '../events.js';
import { textOf } from '../http/body.js';
import { within } from '../http/deadline.js';
import { download } from '../http/download.js';
import { cdnOrigin } from '../http/host-options.js';
import type { Transport } from '../http/transport.js';
import { isAborted } from '../http/watched-signal.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { Call } from '../request/call.js';
import { UNKNOWN_IP_ADDRESS } from '../request/edge-limits.js';
import { type BoundedCache, createBoundedCache } from './facts/bounded-cache.js';
import { toGeo } from './facts/place.js';

/** The parts of a client that a geo look-up needs. */
export interface GeoOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly events: Events;
  readonly logger: Logger;
  readonly newId: () => string;
}

/** Geographic data that hold an IP address and nothing else. */
export type AddressOnly = Geo & { readonly ipAddress: string };

/**
 * Looks up the geographic data of an IP address, and adds them to the given data. Resolves to the given data alone
 * when the look-up fails; never rejects.
 */
export type GeoLookup = (geo: AddressOnly, limits: Pick<Call, 'timeoutMs' | 'signal'>) => Promise<Geo>;

/** Number of addresses whose geographic data are kept. */
const MAX_CACHED_ADDRESSES = 10_000;
/** Time for which the geographic data of an address are kept. */
const CACHED_MS = 60 * 60 * 1000;
const MAX_GEO_BYTES = 64 * 1024;

/**
 * Creates the function that looks up the geographic data of an IP address at Adobe's CDN. The data of an address are
 * kept for an hour. A decision is made without the data when the look-up fails. See
 * https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/supported-features.
 */
export function createGeoLookup({ config, transport, events, logger, newId }: GeoOptions): GeoLookup {
  const url = `${cdnOrigin(config)}/v1/geo`;
  const faults = new FaultLog(logger.write, 'geo look-ups work');
  // The cache is created with the first look-up: it allocates room for all of its entries at once, and most clients
  // never look up an address (benchmark memory).
  let geoByAddress: BoundedCache<Promise<Geo>> | undefined;

  const lookUp = async (ipAddress: string, timeoutMs: number): Promise<Geo> => {
    const { status, headers, body } = await download(transport, {
      what: 'geo look-up',
      url,
      headers: ipAddress === UNKNOWN_IP_ADDRESS ? {} : { 'x-forwarded-for': ipAddress },
      requestId: newId(),
      timeoutMs,
      maxBytes: MAX_GEO_BYTES,
      retry: config.retry,
      isPersonal: ipAddress !== UNKNOWN_IP_ADDRESS,
      signal: undefined,
    });
    const geo = toGeo({ text: textOf(body), headers });
    if (geo) {
      return geo;
    }
    const result = 'was answered with nothing that names a place';
    throw new TargetError('ERR_TARGET_INVALID_RESPONSE', `the geo look-up ${result}`, { status });
  };

  /**
   * Starts a look-up that calls with different timeouts share. Its time limit is at least the configured timeout. So
   * later calls can use its result even when the first call could not wait for it.
   */
  const startLookup = (ipAddress: string, timeoutMs: number): Promise<Geo> => {
    const lookup = lookUp(ipAddress, Math.max(timeoutMs, config.timeoutMs));
    const cache = geoByAddress ?? createBoundedCache(MAX_CACHED_ADDRESSES, CACHED_MS);
    geoByAddress = cache;
    cache.set(ipAddress, lookup);
    lookup.then(
      () => faults.worked(),
      (thrown: unknown) => {
        if (cache.get(ipAddress) === lookup) {
          cache.delete(ipAddress);
        }
        faults.failed(messageOf(thrown));
      },
    );
    return lookup;
  };

  return async (geo, { timeoutMs, signal }) => {
    const known = geoByAddress?.get(geo.ipAddress);
    const lookup = known ?? startLookup(geo.ipAddress, timeoutMs);
    try {
      const found = await within({ timeoutMs, signal }, () => lookup, cutOff);
      const geoContext = { ...geo, ...found };
      if (!known) {
        events.emit({ type: 'geoLocationUpdated', geoContext: { ...geoContext } });
      }
      return geoContext;
    } catch (thrown) {
      const isFailure = !known && !isAborted(signal);
      if (isFailure) {
        events.emit({
          type: 'geoLocationUpdated',
          geoContext: { ...geo },
          error: toTargetError(thrown),
        });
      }
      return geo;
    }
  };
}

/**
 * Returns true when a request gives an IP address and no other geographic data. Data that the request gives are used
 * as they are.
 */
export function needsLookup(geo: Geo | undefined): geo is AddressOnly {
  return geo?.ipAddress !== undefined && Object.keys(geo).length === 1;
}

function cutOff(limit: 'deadline' | 'signal'): TargetError {
  if (limit === 'signal') {
    return new TargetError('ERR_TARGET_ABORTED', 'the geo look-up was aborted');
  }
  return new TargetError('ERR_TARGET_TIMEOUT', 'the geo look-up took longer than its call may take');
}
