/** The name of the cookie that holds the location hint. */
export const LOCATION_HINT_COOKIE_NAME = 'mboxEdgeCluster';

/** `35`: which edge cluster keeps a visitor's profile. It becomes part of a host name, so it is digits or nothing. */
const HINT = /^\d{1,4}$/;
const HINT_IN_TNT_ID = /\.(\d{1,4})_\d{1,4}$/;
const HINT_IN_EDGE_HOST = /^mboxedge(\d{1,4})\.tt\.omtrdc\.net$/;

/** Whether a value, most likely from a cookie, is a location hint. */
export function isLocationHint(value: unknown): value is string {
  return typeof value === 'string' && HINT.test(value);
}

/** The hint of a tntId such as `abc.35_0`. */
export function hintOfTntId(tntId: string | undefined): string | undefined {
  return tntId === undefined ? undefined : HINT_IN_TNT_ID.exec(tntId)?.[1];
}

/** The hint of an answer's edge host, `mboxedge35.tt.omtrdc.net`; any other host teaches nothing. */
export function hintOfEdgeHost(edgeHost: unknown): string | undefined {
  return typeof edgeHost === 'string' ? HINT_IN_EDGE_HOST.exec(edgeHost)?.[1] : undefined;
}

/** The host of a delivery call: the hint's edge cluster, or the client's own name, which finds the nearest. */
export function deliveryHost(client: string, hint: string | undefined): string {
  return hint === undefined ? `${client}.tt.omtrdc.net` : clusterHost(hint);
}

/** Bounded, for a hint has four digits at most. A name that is written anew is hashed anew by all who look it up. */
const hostsByHint = new Map<string, string>();

function clusterHost(hint: string): string {
  const known = hostsByHint.get(hint);
  if (known !== undefined) return known;
  const host = `mboxedge${hint}.tt.omtrdc.net`;
  hostsByHint.set(hint, host);
  return host;
}

/** The client's own hint, configured or learned: what calls of visitors without one go by. */
export interface OwnHint {
  current: string | undefined;
}
