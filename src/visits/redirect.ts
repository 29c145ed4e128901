import type { LocationResponse } from '../delivery-api.js';
import type { TargetDeliveryResponse } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { isRecord, itemsOf } from '../json.js';
import { cut, hostOf, MAX_READ_LENGTH, toUrl } from './page-url.js';

/** The answer to a request whose visitor gets another page. */
export interface Redirect {
  /** The HTTP status: 302, because the next visitor may get another page. */
  readonly status: 302;
  /** The absolute URL of the other page, for the `Location` header. */
  readonly location: string;
}

/** The parameters by which Analytics counts both pages as one. A page that has them is still the same page. */
const SDID_PARAMETER = 'adobe_mc_sdid';
const REFERRER_PARAMETER = 'adobe_mc_ref';
const MAX_REFERRER_LENGTH = 2048;
const NOTHING = { pageLoad: undefined, mboxes: undefined };

/**
 * Finds the first redirect offer among the executed locations of an answer: the page load first, then the mboxes in
 * their order. It returns undefined when there is none, when its URL is not `http:` or `https:`, and when it is the URL of
 * the page itself, which would redirect for ever. URLs that differ only in the scheme, the fragment or the order of
 * parameters are the same, and so are URLs with and without the two parameters that this function adds for Analytics. It
 * never throws.
 *
 * @param url the absolute URL of the page, as the visitor's browser knows it. It resolves relative URLs of offers.
 * @see https://experienceleague.adobe.com/en/docs/target/using/integrate/a4t/a4t-faq/a4t-faq-redirect-offers
 *
 * @example
 * ```ts
 * const redirect = toRedirect(answer, incoming.url);
 * if (redirect) {
 *   response.writeHead(redirect.status, { location: redirect.location, 'cache-control': 'private, no-store' });
 *   response.end();
 * }
 * ```
 */
export function toRedirect(
  answer: Pick<TargetDeliveryResponse, 'request' | 'response' | 'visitorState'>,
  url: string,
): Redirect | undefined {
  try {
    const page = toUrl(url);
    const written = firstRedirect(answer);
    if (!page || !isOfTheWeb(page) || written === undefined) {
      return undefined;
    }
    const target = toTarget(written, page);
    if (!target || keyOf(target) === keyOf(page)) {
      return undefined;
    }
    addAnalytics(target, page, answer);
    return { status: 302, location: target.href };
  } catch {
    // A hand-made answer may have getters that throw.
    return undefined;
  }
}

function firstRedirect({ response }: Pick<TargetDeliveryResponse, 'response'>): string | undefined {
  const { pageLoad, mboxes } = ownOf(ownOf(response).execute) ?? NOTHING;
  const locations: readonly (LocationResponse | undefined)[] = [pageLoad, ...(mboxes ?? [])];
  for (const location of locations) {
    for (const option of ownOf(location)?.options ?? []) {
      const { type, content } = ownOf(option);
      const found = type === 'redirect' ? content : type === 'actions' ? redirectIn(content) : undefined;
      if (typeof found === 'string') {
        return found;
      }
    }
  }
  return undefined;
}

/** Finds the redirect among the actions of an offer of the visual editor. */
function redirectIn(actions: unknown): unknown {
  const found = Array.isArray(actions)
    ? itemsOf(actions).find((action) => isRecord(action) && ownOf(action).type === 'redirect')
    : undefined;
  return isRecord(found) ? ownOf(found).content : undefined;
}

function toTarget(written: string, page: URL): URL | undefined {
  const text = written.trim();
  // An empty URL would be the page itself.
  if (text === '' || text.length > MAX_READ_LENGTH || !URL.canParse(text, page.href)) {
    return undefined;
  }
  const target = new URL(text, page);
  return isOfTheWeb(target) ? target : undefined;
}

function isOfTheWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

/**
 * Writes a URL so that two URLs of one page are equal. The scheme is left out, because behind a proxy that ends TLS a
 * server may know its own pages by `http:`.
 */
function keyOf(url: URL): string {
  const parameters = [...url.searchParams]
    .filter(([name]) => name !== SDID_PARAMETER && name !== REFERRER_PARAMETER)
    .map((parameter) => JSON.stringify(parameter))
    .sort();
  return [hostOf(url), pathOf(url), ...parameters].join(' ');
}

function originOf(url: string): string {
  const parsed = toUrl(url);
  return parsed && isOfTheWeb(parsed) ? `${parsed.origin}/` : '';
}

function pathOf({ pathname }: URL): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/**
 * Adds the supplemental data id of the request, in the form in which Adobe's Visitor API takes it from a URL, and the
 * referrer of the page. With an empty one, Analytics does not take the page itself for the referrer. Another host gets the
 * origin of the referrer alone, as from a browser.
 *
 * @see https://www.w3.org/TR/referrer-policy/#referrer-policy-strict-origin-when-cross-origin
 */
function addAnalytics(
  target: URL,
  page: URL,
  answer: Pick<TargetDeliveryResponse, 'request' | 'visitorState'>,
): void {
  const { experienceCloud, context } = ownOf(answer.request);
  const supplementalDataId = ownOf(ownOf(experienceCloud)?.analytics)?.supplementalDataId;
  const [organizationId] = Object.keys(answer.visitorState ?? {});
  if (!supplementalDataId || organizationId === undefined) {
    return;
  }
  const seconds = Math.floor(Date.now() / 1000);
  const sdid = `SDID=${supplementalDataId}|MCORGID=${organizationId}|TS=${seconds}`;
  const whole = ownOf(ownOf(context)?.address)?.referringUrl ?? '';
  const isSameHost = hostOf(target) === hostOf(page);
  const referrer = isSameHost ? cut(whole, MAX_REFERRER_LENGTH) : originOf(whole);
  for (const name of [SDID_PARAMETER, REFERRER_PARAMETER]) {
    if (target.searchParams.has(name)) {
      target.searchParams.delete(name);
    }
  }
  // The parameters of the offer stay as they are written. Adding to them would encode all of them anew.
  const added = new URLSearchParams({ [SDID_PARAMETER]: sdid, [REFERRER_PARAMETER]: referrer });
  target.search = target.search === '' ? `${added}` : `${target.search}&${added}`;
}
