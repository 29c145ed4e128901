import type { DeliveryRequest, Geo, ResolvedDeliveryRequest } from '../delivery-api.js';
import { invalidField } from '../errors.js';

const MAX_INT_32 = 2 ** 31 - 1;

/**
 * The Delivery API's limits, by the names of its OpenAPI files: characters of a text, items of a list, the greatest number
 * of a number. Where Adobe's page of limits allows more, that holds (categoryId, thirdPartyId, parameters).
 * @see https://experienceleague.adobe.com/en/docs/target/using/troubleshoot/target-limits
 */
export const EDGE_LIMITS = {
  DeliveryRequest: { requestId: 128, impressionId: 128 },
  VisitorId: { tntId: 128, thirdPartyId: 256, marketingCloudVisitorId: 128, customerIds: 50 },
  CustomerId: { id: 128, integrationCode: 50 },
  MobilePlatform: { version: 128 },
  Application: { id: 250, name: 250, version: 128 },
  Address: { url: 4096, referringUrl: 4096 },
  Geo: { countryCode: 2, stateCode: 3, city: 50, zip: 12 },
  AudienceManager: { blob: 1024 },
  AnalyticsRequest: { supplementalDataId: 33 },
  ExecuteRequest: { mboxes: 50 },
  PrefetchRequest: { mboxes: 50 },
  MboxRequest: { index: MAX_INT_32 },
  ViewRequest: { name: 128, key: 512 },
  /** `profileValue` is no limit of the call: Target keeps no more of a profile's attribute. */
  Parameters: { count: 100, name: 128, value: 5000, profileValue: 256 },
  /** `purchasedProductId` is each id's limit, `purchasedProductIds` that of all with their commas. */
  Order: { id: 250, purchasedProductId: 50, purchasedProductIds: 250, experienceLocalId: MAX_INT_32 },
  Product: { id: 128, categoryId: 256 },
  Notification: { id: 200, impressionId: 128 },
  NotificationMbox: { name: 250 },
  NotificationView: { name: 128, key: 512 },
} as const;

/** Refuses more mboxes than the edge takes in one call. On-device, their number has no limit. */
export function checkMboxCount({ execute, prefetch }: DeliveryRequest): void {
  check(execute?.mboxes, 'execute.mboxes', EDGE_LIMITS.ExecuteRequest.mboxes);
  check(prefetch?.mboxes, 'prefetch.mboxes', EDGE_LIMITS.PrefetchRequest.mboxes);
}

function check(mboxes: readonly unknown[] | undefined, path: string, most: number): void {
  if (mboxes && mboxes.length > most) throw invalidField(path, `an array of at most ${most}`, mboxes);
}

/** Stands for the address of a visitor who is not to be looked up. */
export const UNKNOWN_IP_ADDRESS = 'unknownIpAddress';

type ResolvedContext = ResolvedDeliveryRequest['context'];

/** The context as the edge takes it: without names of places that only artifacts know, and without an unknown address. */
export function toSentContext(context: ResolvedContext): ResolvedContext {
  const { geo } = context;
  if (!geo || isSentWhole(geo)) return context;
  const sent: { -readonly [Field in keyof Geo]: Geo[Field] } = { ...geo };
  if (sent.ipAddress === UNKNOWN_IP_ADDRESS) delete sent.ipAddress;
  if (!isCountryCode(sent.countryCode)) delete sent.countryCode;
  if (!fits(sent.stateCode, EDGE_LIMITS.Geo.stateCode)) delete sent.stateCode;
  if (!fits(sent.city, EDGE_LIMITS.Geo.city)) delete sent.city;
  if (!fits(sent.zip, EDGE_LIMITS.Geo.zip)) delete sent.zip;
  const { geo: _, ...others } = context;
  return Object.keys(sent).length === 0 ? others : { ...others, geo: sent };
}

function isSentWhole({ ipAddress, countryCode, stateCode, city, zip }: Geo): boolean {
  return (
    ipAddress !== UNKNOWN_IP_ADDRESS &&
    isCountryCode(countryCode) &&
    fits(stateCode, EDGE_LIMITS.Geo.stateCode) &&
    fits(city, EDGE_LIMITS.Geo.city) &&
    fits(zip, EDGE_LIMITS.Geo.zip)
  );
}

function isCountryCode(code: string | undefined): boolean {
  return code === undefined || code.length === EDGE_LIMITS.Geo.countryCode;
}

function fits(text: string | undefined, maxLength: number): boolean {
  return text === undefined || text.length <= maxLength;
}
