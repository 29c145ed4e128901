import type { Request } from 'express';
import { AttributesProvider, type ResponseTokens, type TargetDeliveryResponse } from 'target-node-sdk';
import { readCookies, toSetCookieHeaders } from 'target-node-sdk/http';
import type { Click } from './click.js';
import { cookieOptions, toContext } from './context.js';
import type { Target } from './target.js';

/** The JSON offer of the mbox `delivery-note`. */
export interface DeliveryNote {
  readonly text: string;
  readonly freeFrom: number;
}

/** The JSON offer of the mbox `shop-flags`. */
export interface ShopFlags {
  readonly showStock: boolean;
  readonly productsPerRow: number;
  readonly searchHint: string;
}

/** Everything that Target decides about the page. */
export interface Decisions {
  /** HTML, as the activity's author wrote it. */
  readonly hero: string;
  readonly note: DeliveryNote;
  readonly flags: ShopFlags;
  /** What to report when the hero's button is clicked. */
  readonly click?: Click | undefined;
  /** The answer, to show who decided; undefined for default content. */
  readonly answer?: TargetDeliveryResponse;
  readonly responseTokens?: ResponseTokens | undefined;
  readonly setCookies: string[];
}

/** What everybody sees when Target cannot be asked, or has nothing for this visitor. */
export const DEFAULTS: Decisions = {
  hero: '<h1>Fresh coffee from the harbour</h1><p>Roasted on Mondays, with you by Wednesday.</p>',
  note: { text: 'We deliver within three days.', freeFrom: 50 },
  flags: { showStock: false, productsPerRow: 3, searchHint: 'Search' },
  setCookies: [],
};

/** Decides the page for the visitor of a request. Never rejects: without Target, there is the default content. */
export async function decide(target: Target, request: Request): Promise<Decisions> {
  try {
    return await decideWithTarget(target, request);
  } catch (error) {
    console.error(`default content is shown: ${error}`);
    return DEFAULTS;
  }
}

async function decideWithTarget({ client, organizationId }: Target, request: Request): Promise<Decisions> {
  const context = toContext(request);
  const visitor = readCookies(request.headers.cookie, organizationId);
  const answer = await client.getOffers({
    ...visitor,
    request: { context, execute: { mboxes: [{ name: 'hero' }, { name: 'delivery-note' }] } },
  });
  const flags = await client.getAttributes<{ 'shop-flags': ShopFlags }>(['shop-flags'], {
    ...visitor,
    // A new visitor got ids with the first answer, and is the same visitor now.
    targetCookie: answer.targetCookie.value,
    request: { context },
  });

  const hero = answer.response.execute?.mboxes?.find(({ name }) => name === 'hero');
  const option = hero?.options?.find(({ type }) => type === 'html');
  const token = hero?.metrics?.find(({ type }) => type === 'click')?.eventToken;
  return {
    hero: typeof option?.content === 'string' ? option.content : DEFAULTS.hero,
    note: toDeliveryNote(new AttributesProvider(answer)),
    flags: toShopFlags(flags),
    click: token === undefined ? undefined : { mbox: 'hero', token },
    answer,
    responseTokens: option?.responseTokens,
    setCookies: toSetCookieHeaders(answer, cookieOptions(request)),
  };
}

// JSON offers are written by people: what is missing or of the wrong type gets its default.

function toDeliveryNote(offers: AttributesProvider<{ 'delivery-note': DeliveryNote }>): DeliveryNote {
  return {
    text: offers.getString('delivery-note', 'text', DEFAULTS.note.text),
    freeFrom: offers.getNumber('delivery-note', 'freeFrom', DEFAULTS.note.freeFrom),
  };
}

function toShopFlags(offers: AttributesProvider<{ 'shop-flags': ShopFlags }>): ShopFlags {
  const { flags } = DEFAULTS;
  return {
    showStock: offers.getBoolean('shop-flags', 'showStock', flags.showStock),
    productsPerRow: offers.getNumber('shop-flags', 'productsPerRow', flags.productsPerRow),
    searchHint: offers.getString('shop-flags', 'searchHint', flags.searchHint),
  };
}
