import { target } from '../target';

/** The JSON offer of the mbox `shop-flags`. */
export interface ShopFlags {
  readonly showStock: boolean;
  readonly productsPerRow: number;
  readonly searchHint: string;
}

/** Reads the flags of the visitor. Several components may ask: the visit asks Target once. */
export async function readFlags(): Promise<ShopFlags> {
  const visit = await target.visit();
  const flags = await visit.getAttributes<{ 'shop-flags': ShopFlags }>(['shop-flags']);
  // JSON offers are written by people: what is missing or of the wrong type gets its default.
  return {
    showStock: flags.getBoolean('shop-flags', 'showStock', false),
    productsPerRow: flags.getNumber('shop-flags', 'productsPerRow', 3),
    searchHint: flags.getString('shop-flags', 'searchHint', 'Search'),
  };
}
