import { AUDIENCE_MANAGER_LIMITS, VISITOR_ID_LIMITS } from '../delivery-api.js';

/**
 * This file reads AMCV cookies. In such a cookie, a value follows each key:
 * `…|MCMID|{ECID}|MCAAMLH-{expiry}|{hint}|MCAAMB-{expiry}|{blob}|…`. The value `NONE` stands for no value.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/integration/ecid
 */

/** The values of an AMCV cookie that Target uses. A missing or malformed value is absent. */
export interface AmcvValues {
  /** The Experience Cloud id (ECID), a text of at most 128 digits. */
  readonly MCMID?: string | undefined;
  /** The visitor's region of Audience Manager, the text of an integer from 1. It is not Target's location hint. */
  readonly MCAAMLH?: string | undefined;
  /** The visitor's blob of Audience Manager: encrypted data of at most 1024 characters. */
  readonly MCAAMB?: string | undefined;
}

/** The maximum number of digits that the region of Audience Manager may have. */
export const MAX_REGION_LENGTH = 9;

/**
 * The values of a visitor without an AMCV cookie. It has all fields, so none of them is read from `Object.prototype`.
 */
export const NO_VALUES: AmcvValues = Object.freeze({
  MCMID: undefined,
  MCAAMLH: undefined,
  MCAAMB: undefined,
});

const MAX_LENGTH = 4096;
const MAX_FIELDS = 100;
const ECID = /^\d+$/;
const REGION = /^[1-9]\d{0,8}$/;

/** Returns the name of the cookie that holds the ECID: `AMCV_` and the organization's id. */
export function visitorCookieName(organizationId: string): string {
  return `AMCV_${organizationId}`;
}

/**
 * Reads an AMCV cookie that is percent-encoded once, twice or not at all. A malformed value is absent. The function
 * never throws. The `-{expiry}` after a key is not checked, as in Adobe's own visitor library: an old region of
 * Audience Manager still works.
 */
export function parseAmcvCookie(cookie: unknown): AmcvValues {
  if (typeof cookie !== 'string') {
    return NO_VALUES;
  }
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
      ecid.length <= VISITOR_ID_LIMITS.marketingCloudVisitorId &&
      ECID.test(ecid) && { MCMID: ecid }),
    ...(region && REGION.test(region) && { MCAAMLH: region }),
    ...(blob && blob.length <= AUDIENCE_MANAGER_LIMITS.blob && { MCAAMB: blob }),
  };
}

/** Decodes a text that has no plain `|`. A malformed text gives an empty one. */
function decode(text: string): string {
  if (text.includes('|')) {
    return text;
  }
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
