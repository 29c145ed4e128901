import { abTest, type EdgeOffers, html, json } from 'target-node-sdk/testing';

const heroClick = { type: 'click', selector: '#claim' } as const;

/** What the local edge shows: two A/B tests and an offer that everybody gets. */
export const demoOffers = {
  mboxes: {
    hero: abTest(
      {
        'Free delivery': {
          options: html('<h1>Free delivery on every bag</h1><p>This week, whatever you order.</p>'),
          metrics: [heroClick],
        },
        'Second bag': {
          options: html('<h1>The second bag is on us</h1><p>This week, on all single origins.</p>'),
          metrics: [heroClick],
        },
      },
      { activity: 'Harbour hero' },
    ),
    'delivery-note': json({ text: 'Order before noon and it leaves today.', freeFrom: 30 }),
    'shop-flags': abTest(
      {
        'Stock shown': json({ showStock: true, productsPerRow: 3, searchHint: 'Try “Kenya”' }),
        'Stock hidden': json({ showStock: false, productsPerRow: 2, searchHint: 'What do you like?' }),
      },
      { activity: 'Stock labels' },
    ),
  },
} satisfies EdgeOffers;
