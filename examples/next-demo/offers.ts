import { type EdgeOffers, html } from 'target-node-sdk/testing';
import { demoOffers } from '../express/demo-offers.js';

const { hero } = demoOffers.mboxes;

/** An experience that is not live yet: only QA links show it. */
const heroDraft = html('<h1>Free tasting on Saturday</h1><p>At the harbour, from ten to noon.</p>', {
  responseTokens: { 'activity.name': 'Harbour hero', 'experience.name': 'Draft' },
});

/** What the local edge shows: the offers of the Express example, and those that only the Next.js example asks for. */
export const nextOffers = {
  mboxes: {
    ...demoOffers.mboxes,
    hero: (location, call) => (call.request.qaMode ? heroDraft : hero(location, call)),
    pairing: html('<h2>Goes well with it</h2><p>Oat biscuits, baked next door.</p>'),
    tip: html('<p>Grind it just before you brew it.</p>'),
    receipt: html('<p>Bring this receipt: the next espresso is on us.</p>'),
  },
} satisfies EdgeOffers;
