import type { CheckoutFlags } from './flags.js';

interface Arm {
  readonly experience: string;
  /** Percent of all visitors. */
  readonly share: number;
  readonly flags: CheckoutFlags;
}

const SEVERAL_PAGES = { onePage: false, payButton: 'Continue', freeDeliveryFrom: 50 };
const ONE_PAGE = { onePage: true, payButton: 'Pay now', freeDeliveryFrom: 50 };
const EXPRESS = { onePage: true, payButton: 'Pay with one tap', freeDeliveryFrom: 30 };

const ACTIVITY_ID = 5047;

/** What marketing publishes, one after the other, and then from the start again. */
const RELEASES: readonly (readonly Arm[])[] = [
  [
    { experience: 'Several pages', share: 50, flags: SEVERAL_PAGES },
    { experience: 'One page', share: 50, flags: ONE_PAGE },
  ],
  [
    { experience: 'Several pages', share: 20, flags: SEVERAL_PAGES },
    { experience: 'One page', share: 40, flags: ONE_PAGE },
    { experience: 'Express', share: 40, flags: EXPRESS },
  ],
  [{ experience: 'Express', share: 100, flags: EXPRESS }],
];

/** The artifact of a release, as Target would make it of an activity with these experiences. */
export function toArtifact(release: number, generatedAt: Date): object {
  const arms = RELEASES[release % RELEASES.length] ?? [];
  return {
    version: '1.0.0',
    meta: { clientCode: 'demo', environment: 'production', generatedAt: generatedAt.toISOString() },
    globalMbox: 'target-global-mbox',
    geoTargetingEnabled: false,
    responseTokens: ['activity.name', 'experience.name'],
    localMboxes: ['checkout-flags'],
    localViews: [],
    remoteMboxes: [],
    remoteViews: [],
    rules: { mboxes: { 'checkout-flags': arms.map((_, index) => toRule(arms, index)) }, views: {} },
  };
}

/** An experience gets the visitors whose allocation, from 0 to 100, falls into its share. */
function toRule(arms: readonly Arm[], index: number): object {
  const { experience = '', share = 0, flags } = arms[index] ?? {};
  const from = arms.slice(0, index).reduce((sum, arm) => sum + arm.share, 0);
  const allocation = { var: 'allocation' };
  return {
    ruleKey: String(ACTIVITY_ID),
    activityId: ACTIVITY_ID,
    meta: {
      'activity.id': ACTIVITY_ID,
      'activity.name': 'Checkout',
      'activity.type': 'ab',
      'experience.id': index,
      'experience.name': experience,
    },
    condition: { and: [{ '<=': [from, allocation] }, { '<': [allocation, from + share] }] },
    consequence: {
      name: 'checkout-flags',
      options: [{ type: 'json', content: flags, eventToken: `checkout-${index}` }],
      metrics: [],
    },
  };
}
