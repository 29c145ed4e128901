import type { AttributesProvider, ResponseTokens, TargetDeliveryResponse } from 'target-node-sdk';
import type { Visit } from 'target-node-sdk/http';
import type { Click } from './click.js';

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
  readonly click: Click | undefined;
  /** The answer, to show who decided; undefined for default content. */
  readonly answer: TargetDeliveryResponse | undefined;
  readonly responseTokens: ResponseTokens | undefined;
}

/** What everybody sees when Target cannot be asked, or has nothing for this visitor. */
const DEFAULTS: Pick<Decisions, 'hero' | 'note' | 'flags'> = {
  hero: '<h1>Fresh coffee from the harbour</h1><p>Roasted on Mondays, with you by Wednesday.</p>',
  note: { text: 'We deliver within three days.', freeFrom: 50 },
  flags: { showStock: false, productsPerRow: 3, searchHint: 'Search' },
};

/**
 * Decides the page of a visit. The three parts ask by themselves, and the visit makes one call of it. With the option
 * `onError`, no part rejects: without Target, there is the default content.
 */
export async function decide(visit: Visit): Promise<Decisions> {
  const [answer, note, flags] = await Promise.all([
    visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } }),
    visit.getAttributes<{ 'delivery-note': DeliveryNote }>(['delivery-note']),
    visit.getAttributes<{ 'shop-flags': ShopFlags }>(['shop-flags']),
  ]);
  const [hero] = answer.response.execute?.mboxes ?? [];
  const option = hero?.options?.find(({ type }) => type === 'html');
  const token = hero?.metrics?.find(({ type }) => type === 'click')?.eventToken;
  return {
    hero: typeof option?.content === 'string' ? option.content : DEFAULTS.hero,
    note: toDeliveryNote(note),
    flags: toShopFlags(flags),
    click: token === undefined ? undefined : { mbox: 'hero', token },
    answer: answer.failure ? undefined : answer,
    responseTokens: option?.responseTokens,
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
