import { type EdgeOffers, html, json } from 'target-node-sdk/testing';

/** What the documentation's account shows. */
export const documentedOffers: EdgeOffers = {
  mboxes: {
    'a1-serverside-ab': html('Experience A'),
    'demo-engineering-flags': json({
      cdnHostname: 'cdn.cloud.corp.net',
      searchProviderId: 143,
      hasLegacyAccess: false,
    }),
    home: html('HOME OFFER'),
    product1: html('TEST OFFER 1'),
  },
};
