import { EDGE_LIMITS } from '../delivery-api.js';

/** `…|MCMID|{ECID}|MCAAMLH-{expiry}|{hint}|MCAAMB-{expiry}|{blob}|…`: keys and values by turns; `NONE` is no value. */

/** The values of an AMCV cookie. */
export interface AmcvValues {
  readonly MCMID?: string | undefined;
  readonly MCAAMLH?: string | undefined;
  readonly MCAAMB?: string | undefined;
}

/** The most digits of Audience Manager's region that are read. */
export const MAX_REGION_LENGTH = 9;

/** The values of a visitor of whom nothing is known. */
export const NO_VALUES: AmcvValues = Object.freeze({
  MCMID: undefined,
  MCAAMLH: undefined,
  MCAAMB: undefined,
});
const MAX_LENGTH = 4096;
const MAX_FIELDS = 100;
const ECID = /^\d+$/;
const REGION = /^[1-9]\d{0,8}$/;

/** The name of the cookie that holds the ECID: `AMCV_` and the organization's id. */
export function visitorCookieName(organizationId: string): string {
  return `AMCV_${organizationId}`;
}

/**
 * Reads an AMCV cookie, percent-encoded once or twice or not at all; what is malformed is absent. The `-<expiry>` after a key is
 * dropped unread, as Adobe's own visitor library does: a stale Audience Manager region still finds its way.
 */
export function parseAmcvCookie(cookie: unknown): AmcvValues {
  if (typeof cookie !== 'string') return NO_VALUES;
  const start = cookie.slice(0, MAX_LENGTH);
  const fields = decode(decode(start)).split('|', MAX_FIELDS);
  const valueBehind = (key: string): string | undefined => {
    const at = fields.findIndex((field) => field === key || field.startsWith(`${key}-`));
    const value = at < 0 ? undefined : fields[at + 1];
    return value === 'NONE' ? undefined : value;
  };
  const ecid = valueBehind('MCMID');
  const region = valueBehind('MCAAMLH');
  const blob = valueBehind('MCAAMB');
  return {
    ...(ecid &&
      ecid.length <= EDGE_LIMITS.VisitorId.marketingCloudVisitorId &&
      ECID.test(ecid) && { MCMID: ecid }),
    ...(region && REGION.test(region) && { MCAAMLH: region }),
    ...(blob && blob.length <= EDGE_LIMITS.AudienceManager.blob && { MCAAMB: blob }),
  };
}

/** Decodes a text that has no plain separator. */
function decode(text: string): string {
  if (text.includes('|')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
