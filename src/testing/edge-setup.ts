import { type ClientSources, SYSTEM_SOURCES } from '../client-parts.js';
import { withoutInherited } from '../inherited-names.js';
import type { DeliveryCheck } from './delivery-check.js';
import { deliveryCheck } from './delivery-check.js';
import type { EdgeGeo, PlacesByAddress } from './geo.js';
import { toPlaces } from './geo.js';
import type { EdgeCall, EdgeOffers, ResolvedOffers } from './offers.js';
import { resolveOffers } from './offers.js';
import { Tokens } from './tokens.js';

/** Options of {@link startTargetEdge}. All of them may be left out. */
export interface TargetEdgeOptions {
  /** The TCP port to listen on. @default a free port */
  readonly port?: number;
  /** The client code in the answers, the artifact's path and `config`. @default 'demo' */
  readonly client?: string;
  /**
   * The organization id in `config` and in binary artifacts. Calls with another `imsOrgId` are answered too.
   * @default 'DEMO@AdobeOrg'
   */
  readonly organizationId?: string;
  /** The cluster in new tntIds and in `edgeHost`: 1 to 4 digits. @default '35' */
  readonly locationHint?: string;
  /** The offers of the locations. @default none */
  readonly offers?: EdgeOffers;
  /**
   * The rules to serve to on-device clients. The edge also decides by them for locations that `offers` does not list.
   * @default none
   */
  readonly artifact?: object | undefined;
  /** The places of IP addresses, for `/v1/geo` and for the rules of the artifact. @default unknown for every address */
  readonly geo?: EdgeGeo;
  /**
   * The `edgeHost` of the answers: a text, `false` to leave it out, or a function of the call.
   * @default 'mboxedge{locationHint}.tt.omtrdc.net'
   */
  readonly edgeHost?: string | false | ((call: EdgeCall) => string | undefined);
  /** True when fields and query parameters that Adobe's OpenAPI files do not name are violations. @default true */
  readonly strict?: boolean;
  /**
   * Accepts event tokens and states in notifications that this edge did not give out. A notification with an unknown
   * one is not processed: its id is absent from the answer.
   * @default accepts none
   */
  readonly acceptToken?: (token: string) => boolean;
  /** The number of requests that `requests` holds. The oldest are dropped. @default 1000 */
  readonly maxRequests?: number;
  /** The largest accepted body in bytes. A longer one is answered with 413. @default 4194304 (4 MiB) */
  readonly maxBodyBytes?: number;
  /**
   * True when the edge has pages at `/_workbench/` that show what arrives and how its rules decide. They are for people
   * on this machine, and not for a server that others can reach.
   * @default false
   */
  readonly workbench?: boolean;
  /** True when the running edge keeps the process alive. @default false */
  readonly keepProcessAlive?: boolean;
}

/** The names of the options. This is made of a record, because the compiler then reports an option that is missing. */
export const EDGE_OPTIONS = Object.keys({
  port: true,
  client: true,
  organizationId: true,
  locationHint: true,
  offers: true,
  artifact: true,
  geo: true,
  edgeHost: true,
  strict: true,
  acceptToken: true,
  maxRequests: true,
  maxBodyBytes: true,
  workbench: true,
  keepProcessAlive: true,
} satisfies Record<keyof TargetEdgeOptions, true>);

/** The options that a `TargetClient` needs to talk to a local edge. Spread them into the client's config. */
export interface EdgeConfig {
  /** The client code that the edge answers with. */
  readonly client: string;
  /** The organization id that the edge encodes binary artifacts with. */
  readonly organizationId: string;
  /** The host and port of the edge, for delivery calls. */
  readonly serverDomain: string;
  /** The host and port of the edge, for artifact downloads and geo look-ups. */
  readonly cdnBasePath: string;
  /** The edge speaks plain HTTP. */
  readonly secure: false;
}

/** The options of an edge, checked and with their defaults. */
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
  readonly workbench: boolean;
  /** The sources of the edge's time and ids. */
  readonly sources: ClientSources;
}

/**
 * Checks the options and fills in the defaults.
 * @throws {TypeError} for a wrong location hint or wrong offers.
 */
export function resolveSetup(given: TargetEdgeOptions, sources = SYSTEM_SOURCES): EdgeSetup {
  const options = withoutInherited(given);
  const { locationHint = '35', edgeHost = `mboxedge${locationHint}.tt.omtrdc.net` } = options;
  if (!/^\d{1,4}$/.test(locationHint)) {
    throw new TypeError('locationHint must be 1 to 4 digits');
  }
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
    workbench: options.workbench ?? false,
    sources,
  };
}
