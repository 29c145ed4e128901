import type { ResolvedConfig } from '../config/config.js';
import type { Geo } from '../delivery-api.js';
import { TargetError, toTargetError } from '../errors.js';
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
import { GeoPause } from './geo-pause.js';

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
 * when the look-up fails, and at once in the pause after a failure; never rejects.
 */
export type GeoLookup = (geo: AddressOnly, limits: Pick<Call, 'timeoutMs' | 'signal'>) => Promise<Geo>;

/** Number of addresses whose geographic data are kept. */
const MAX_CACHED_ADDRESSES = 10_000;
/** Time for which the geographic data of an address are kept. */
const CACHED_MS = 60 * 60 * 1000;
const MAX_GEO_BYTES = 64 * 1024;

/**
 * Creates the function that looks up the geographic data of an IP address at Adobe's CDN. The data of an address are
 * kept for an hour. A decision is made without the data when the look-up fails, and while look-ups pause after that. See
 * https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/supported-features.
 */
export function createGeoLookup(options: GeoOptions): GeoLookup {
  const { config, events, logger, transport, newId } = options;
  const faults = new FaultLog(logger.write, 'geo look-ups work');
  const pause = new GeoPause();
  // The closures below must not refer to `options`, which may hold a large artifact.
  const parts = { config, transport, newId };
  // The cache is created with the first look-up: it allocates room for all of its entries at once, and most clients
  // never look up an address (benchmark memory).
  let geoByAddress: BoundedCache<Promise<Geo>> | undefined;

  /**
   * Starts a look-up that calls with different timeouts share. Its time limit is at least the configured timeout. So
   * later calls can use its result even when the first call could not wait for it. Returns undefined in a pause.
   */
  const startLookup = (ipAddress: string, timeoutMs: number): Promise<Geo> | undefined => {
    const entered = pause.enter();
    if (entered === 'refused') {
      return undefined;
    }
    const lookup = askForGeo(ipAddress, Math.max(timeoutMs, config.timeoutMs), parts);
    const cache = geoByAddress ?? createBoundedCache(MAX_CACHED_ADDRESSES, CACHED_MS);
    geoByAddress = cache;
    cache.set(ipAddress, lookup);
    lookup.then(
      () => {
        pause.answered();
        faults.worked();
      },
      (thrown: unknown) => {
        if (cache.get(ipAddress) === lookup) {
          cache.delete(ipAddress);
        }
        const error = toTargetError(thrown);
        faults.failed(toLine(error, pause.failed(error, entered === 'try')));
      },
    );
    return lookup;
  };

  return async (geo, { timeoutMs, signal }) => {
    const known = geoByAddress?.get(geo.ipAddress);
    const lookup = known ?? startLookup(geo.ipAddress, timeoutMs);
    if (!lookup) {
      return geo;
    }
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

/** Asks the CDN for the geographic data of an address. */
async function askForGeo(
  ipAddress: string,
  timeoutMs: number,
  { config, transport, newId }: Pick<GeoOptions, 'config' | 'transport' | 'newId'>,
): Promise<Geo> {
  const { status, headers, body } = await download(transport, {
    what: 'geo look-up',
    url: `${cdnOrigin(config)}/v1/geo`,
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
}

function toLine({ message }: TargetError, pauseMs: number): string {
  return pauseMs === 0 ? message : `${message}; decisions do without a place for ${Math.ceil(pauseMs)} ms`;
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
