/** The name of the cookie that holds the location hint. */
export const LOCATION_HINT_COOKIE_NAME = 'mboxEdgeCluster';

/**
 * A location hint such as `35` names the edge cluster that keeps a visitor's profile. It becomes a part of a host name,
 * so nothing but digits is allowed.
 */
const HINT = /^\d{1,4}$/;
const HINT_IN_TNT_ID = /\.(\d{1,4})_\d{1,4}$/;
const HINT_IN_EDGE_HOST = /^mboxedge(\d{1,4})\.tt\.omtrdc\.net$/;

/** Tells whether a value is a location hint. The value often comes from a cookie, which can hold anything. */
export function isLocationHint(value: unknown): value is string {
  return typeof value === 'string' && HINT.test(value);
}

/** Returns the location hint in a tntId such as `abc.35_0`. */
export function hintOfTntId(tntId: string | undefined): string | undefined {
  return tntId === undefined ? undefined : HINT_IN_TNT_ID.exec(tntId)?.[1];
}

/**
 * Returns the location hint in the edge host of an answer, such as `mboxedge35.tt.omtrdc.net`. Other hosts have none.
 */
export function hintOfEdgeHost(edgeHost: unknown): string | undefined {
  return typeof edgeHost === 'string' ? HINT_IN_EDGE_HOST.exec(edgeHost)?.[1] : undefined;
}

/**
 * Returns the host for a delivery call: the edge cluster of the location hint. A call without a hint goes to the
 * client's own host, which finds the nearest cluster.
 */
export function deliveryHost(client: string, hint: string | undefined): string {
  return hint === undefined ? `${client}.tt.omtrdc.net` : clusterHost(hint);
}

/**
 * The hosts by location hint. The map is bounded, because a hint has at most four digits. Each host's text is kept and
 * used again, because JavaScript has to hash a new text before it can be looked up in a map.
 */
const hostsByHint = new Map<string, string>();

function clusterHost(hint: string): string {
  const known = hostsByHint.get(hint);
  if (known !== undefined) {
    return known;
  }
  const host = `mboxedge${hint}.tt.omtrdc.net`;
  hostsByHint.set(hint, host);
  return host;
}

/** The client's own location hint. Calls of visitors without a hint use it. */
export interface OwnHint {
  /** The location hint that was configured or learned from an answer. It is `undefined` while none is known. */
  current: string | undefined;
}
