/** Who asks, and from where. Everything is made anew for each call: the official SDK writes into what it gets. */

export const CLIENT = 'targettesting';
export const ORGANIZATION = '011B56B451AE49A90A490D4D@AdobeOrg';

/** Sixteen pages of a shop, and of the site that the visual rules of the real artifact are for. */
const URLS = {
  shop: pages((index) => `https://www.example.com/products/shoes-${index}?color=Blue&page=${index}#reviews`),
  spa: pages((index) => `http://local-target-test/?campaign=${index}#reviews`),
};

function pages(toUrl) {
  return Array.from({ length: 16 }, (_, index) => toUrl(index));
}

const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0',
];

/** The id of the n-th visitor: no two are the same. */
export function visitorId(index) {
  return `visitor${String(index).padStart(25, '0')}`;
}

/**
 * A request of the n-th visitor for what `locations` names.
 * @param {number} index
 * @param {object} locations
 * @param {keyof typeof URLS} [site] Without it the request has no URL.
 */
export function requestOf(index, locations, site) {
  const context = { channel: 'web', userAgent: USER_AGENTS[index & 3] };
  if (site) {
    context.address = {
      url: URLS[site][(index >> 2) & 15],
      referringUrl: 'https://www.google.com/search?q=Shoes',
    };
  }
  return { id: { tntId: visitorId(index) }, context, ...locations };
}
