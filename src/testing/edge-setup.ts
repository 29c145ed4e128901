import { withoutInherited } from '../json.js';
import type { DeliveryCheck } from './delivery-check.js';
import { deliveryCheck } from './delivery-check.js';
import type { EdgeGeo, PlacesByAddress } from './geo.js';
import { toPlaces } from './geo.js';
import type { EdgeCall, EdgeOffers, ResolvedOffers } from './offers.js';
import { resolveOffers } from './offers.js';
import { Tokens } from './tokens.js';

/** How a local edge is set up. All of it may be left out. */
export interface TargetEdgeOptions {
  /** @default a free one */
  readonly port?: number;
  /** Client code that the answers name. @default 'demo' */
  readonly client?: string;
  /** For `config`; a call with another `imsOrgId` is answered all the same. @default 'DEMO@AdobeOrg' */
  readonly organizationId?: string;
  /** Cluster that new tntIds and `edgeHost` name: 1 to 4 digits. @default '35' */
  readonly locationHint?: string;
  /** What the locations show. @default nothing */
  readonly offers?: EdgeOffers;
  /** The rules to serve, and to decide by what `offers` do not list. @default none */
  readonly artifact?: object | undefined;
  /** Where IP addresses are, for `/v1/geo` and the artifact's rules. @default unknown */
  readonly geo?: EdgeGeo;
  /**
   * `edgeHost` of the answers: any text, false to leave it out, or a function of the call.
   * @default 'mboxedge{locationHint}.tt.omtrdc.net'
   */
  readonly edgeHost?: string | false | ((call: EdgeCall) => string | undefined);
  /** Whether fields and query parameters that the OpenAPI files do not name are violations. @default true */
  readonly strict?: boolean;
  /**
   * Which event tokens and states to take in notifications besides those that this edge gave out. A notification
   * with another one is not processed: its id is absent from the answer. @default none
   */
  readonly acceptToken?: (token: string) => boolean;
  /** How many requests `requests` holds; the oldest are forgotten. @default 1000 */
  readonly maxRequests?: number;
  /** A longer body is refused with 413. @default 4194304 (4 MiB) */
  readonly maxBodyBytes?: number;
  /** Whether a process with nothing else to do stays up for the edge's sake. @default false */
  readonly keepProcessAlive?: boolean;
}

/** What `TargetClient.create` needs to talk to a local edge; to be spread into its config. */
export interface EdgeConfig {
  readonly client: string;
  readonly organizationId: string;
  readonly serverDomain: string;
  /** Where artifact and places come from. */
  readonly cdnBasePath: string;
  readonly secure: false;
}

/** The options with their defaults, checked. */
export interface EdgeSetup {
  readonly client: string;
  readonly organizationId: string;
  readonly locationHint: string;
  readonly edgeHost: (call: EdgeCall) => string | undefined;
  readonly offers: ResolvedOffers;
  readonly artifact: object | undefined;
  readonly places: PlacesByAddress;
  readonly check: DeliveryCheck;
  readonly tokens: Tokens;
  readonly maxRequests: number;
  readonly maxBodyBytes: number;
}

/** Fills in the defaults. Throws a TypeError for an option that cannot be. */
export function resolveSetup(given: TargetEdgeOptions): EdgeSetup {
  const options = withoutInherited(given);
  const { locationHint = '35', edgeHost = `mboxedge${locationHint}.tt.omtrdc.net` } = options;
  if (!/^\d{1,4}$/.test(locationHint)) throw new TypeError('locationHint must be 1 to 4 digits');
  return {
    client: options.client ?? 'demo',
    organizationId: options.organizationId ?? 'DEMO@AdobeOrg',
    locationHint,
    edgeHost: typeof edgeHost === 'function' ? edgeHost : () => edgeHost || undefined,
    offers: resolveOffers(options.offers),
    artifact: options.artifact,
    places: toPlaces(options.geo),
    check: deliveryCheck(options.strict ?? true),
    tokens: new Tokens(options.acceptToken ?? (() => false)),
    maxRequests: options.maxRequests ?? 1000,
    maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
  };
}
