import { isIP } from 'node:net';
import type {
  Context,
  DeliveryRequest,
  ExperienceCloud,
  MboxRequest,
  Notification,
  Order,
  Parameters,
  Product,
  RequestDetails,
} from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import type { Violation } from './request-log.js';

const MAX_PARAMETER_NAME = EDGE_LIMITS.Parameters.name;
const MAX_PRODUCT_IDS = EDGE_LIMITS.Order.purchasedProductIds;
/** Parameter names that Target keeps for orders. */
const RESERVED_PARAMETERS: ReadonlySet<string> = new Set(['orderId', 'orderTotal', 'productPurchasedIds']);
/** Mbox names that Target uses itself. */
const RESERVED_MBOXES: ReadonlySet<string> = new Set([
  'display mboxes',
  'any mbox',
  'click from display mbox',
]);

/** The form of a tntId. A dot is allowed only before the location hint at the end, as in `abc.35_0`. */
const TNT_ID = /^[^.]*(?:\.\d+_\d+)?$/;
/** The form of a supplemental data id: two groups of 16 hexadecimal digits. */
const SDID = /^[0-9A-F]{16}-[0-9A-F]{16}$/i;
/** The form of a session id: 1 to 128 printable characters without spaces, `?` and `/`. */
const SESSION_ID = /^[^\s?/\p{C}]{1,128}$/u;
/**
 * The form of an mbox name in a notification. Letters, digits and the punctuation of Adobe's OpenAPI files are allowed.
 * The underscore belongs to the list too, although it was lost in the files' Markdown.
 */
const NOTIFICATION_MBOX = /^[\p{L}\p{M}\p{N} \-,./=`:;&!@#$%^*()_+|?~[\]{}]*$/u;
/** The query parameters that the Delivery API knows. */
const QUERY_PARAMETERS: ReadonlySet<string> = new Set(['imsOrgId', 'sessionId', 'version']);

/** Records a violation with its path and its message. */
type Report = (path: string, message: string) => void;

/** Returns the rules that the query of a delivery call breaks. With `strict`, unknown parameters are violations. */
export function checkQuery(query: Readonly<Record<string, string>>, strict: boolean): Violation[] {
  const { violations, report } = collect();
  if (isBlank(query.imsOrgId ?? '')) {
    report('?imsOrgId', 'is required');
  }
  if (query.sessionId === undefined) {
    report('?sessionId', 'is required');
  } else if (!SESSION_ID.test(query.sessionId)) {
    report('?sessionId', 'must be 1 to 128 printable characters without space, ? and /');
  }
  if (!strict) {
    return violations;
  }
  for (const name of Object.keys(query)) {
    if (!QUERY_PARAMETERS.has(name)) {
      report(`?${name}`, 'is not a query parameter of the Delivery API');
    }
  }
  return violations;
}

/**
 * Checks a request by the rules that Adobe's OpenAPI files state only in words, and returns the broken ones. The
 * request must have passed the schema before.
 * @see https://developers.adobetarget.com/api/delivery-api/
 */
export function checkRules(request: DeliveryRequest): Violation[] {
  const { violations, report } = collect();
  if (!TNT_ID.test(request.id?.tntId ?? '')) {
    report('id.tntId', 'may hold a dot only in front of the location hint');
  }
  notBlank(request.property?.token, 'property.token', report);
  checkContext(request.context, report);
  checkExperienceCloud(request.experienceCloud, report);

  const { execute, prefetch } = request;
  checkDetails(execute?.pageLoad, 'execute.pageLoad', report);
  checkMboxes(execute?.mboxes, 'execute.mboxes', report);
  checkDetails(prefetch?.pageLoad, 'prefetch.pageLoad', report);
  checkMboxes(prefetch?.mboxes, 'prefetch.mboxes', report);
  prefetch?.views?.forEach((view, position) => {
    notBlank(view.name, `prefetch.views[${position}].name`, report);
    checkDetails(view, `prefetch.views[${position}]`, report);
  });
  request.notifications?.forEach((notification, position) => {
    checkNotification(notification, `notifications[${position}]`, report);
  });
  return violations;
}

function checkContext(context: Context | undefined, report: Report): void {
  if (context?.browser && context.channel !== 'web') {
    report('context.browser', 'needs the channel web');
  }
  const ipAddress = context?.geo?.ipAddress;
  if (ipAddress !== undefined && isIP(ipAddress.trim()) === 0) {
    report('context.geo.ipAddress', 'must be an IPv4 or IPv6 address');
  }
}

function checkExperienceCloud(experienceCloud: ExperienceCloud | undefined, report: Report): void {
  const { analytics, audienceManager } = experienceCloud ?? {};
  notBlank(audienceManager?.blob, 'experienceCloud.audienceManager.blob', report);
  const sdid = analytics?.supplementalDataId;
  if (sdid !== undefined && !SDID.test(sdid)) {
    report(
      'experienceCloud.analytics.supplementalDataId',
      'must be 16 hexadecimal digits, a dash and 16 more',
    );
  }
  for (const field of ['trackingServer', 'trackingServerSecure'] as const) {
    if (analytics?.[field]?.includes('://')) {
      report(`experienceCloud.analytics.${field}`, 'must not include http://');
    }
  }
}

function checkMboxes(mboxes: readonly MboxRequest[] | undefined, path: string, report: Report): void {
  const seen = new Set<number | undefined>();
  mboxes?.forEach((mbox, position) => {
    const at = `${path}[${position}]`;
    notBlank(mbox.name, `${at}.name`, report);
    if (seen.has(mbox.index)) {
      report(`${at}.index`, `${mbox.index} is already another mbox's`);
    }
    seen.add(mbox.index);
    checkDetails(mbox, at, report);
  });
}

function checkNotification(notification: Notification, path: string, report: Report): void {
  const { mbox, view } = notification;
  notBlank(notification.id, `${path}.id`, report);
  if (mbox && view) {
    report(path, 'has both mbox and view');
  }
  if (mbox?.name !== undefined) {
    checkNotificationMbox(mbox.name, `${path}.mbox.name`, report);
  }
  checkDetails(notification, path, report);
}

function checkNotificationMbox(name: string, path: string, report: Report): void {
  notBlank(name, path, report);
  if (name.endsWith('-clicked')) {
    report(path, 'must not end in -clicked');
  }
  if (RESERVED_MBOXES.has(name)) {
    report(path, 'is a reserved name');
  }
  if (!NOTIFICATION_MBOX.test(name)) {
    report(path, 'holds a character that mbox names cannot have');
  }
}

function checkDetails(details: RequestDetails | undefined, path: string, report: Report): void {
  if (!details) {
    return;
  }
  checkParameters(details.parameters, RESERVED_PARAMETERS, `${path}.parameters`, report);
  checkParameters(details.profileParameters, new Set(), `${path}.profileParameters`, report);
  checkOrder(details.order, `${path}.order`, report);
  checkProduct(details.product, `${path}.product`, report);
}

function checkParameters(
  parameters: Parameters | undefined,
  reserved: ReadonlySet<string>,
  path: string,
  report: Report,
): void {
  for (const name of Object.keys(parameters ?? {})) {
    if (isBlank(name)) {
      report(path, 'has a parameter with a blank name');
    }
    if (name.length > MAX_PARAMETER_NAME) {
      report(path, `has a parameter name of ${name.length} characters, at most ${MAX_PARAMETER_NAME}`);
    }
    if (name.startsWith('profile.')) {
      report(path, "has a parameter name that starts with 'profile.'");
    }
    if (reserved.has(name)) {
      report(path, `has a parameter with the reserved name ${name}`);
    }
  }
}

function checkOrder(order: Order | undefined, path: string, report: Report): void {
  const ids = order?.purchasedProductIds ?? [];
  ids.forEach((id, position) => {
    notBlank(id, `${path}.purchasedProductIds[${position}]`, report);
  });
  const total = ids.join(',').length;
  if (total > MAX_PRODUCT_IDS) {
    report(
      `${path}.purchasedProductIds`,
      `has ${total} characters with its commas, at most ${MAX_PRODUCT_IDS}`,
    );
  }
}

function checkProduct(product: Product | undefined, path: string, report: Report): void {
  notBlank(product?.id, `${path}.id`, report);
  notBlank(product?.categoryId, `${path}.categoryId`, report);
}

function notBlank(text: string | undefined, path: string, report: Report): void {
  if (text !== undefined && isBlank(text)) {
    report(path, 'must not be blank');
  }
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function collect(): { violations: Violation[]; report: Report } {
  const violations: Violation[] = [];
  return {
    violations,
    report: (path, message) => {
      violations.push({ path, message });
    },
  };
}
