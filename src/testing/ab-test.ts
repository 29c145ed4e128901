import { createHash } from 'node:crypto';
import type { LocationOffers, Offer, OfferFunction } from './offers.js';
import { toScript } from './offers.js';

/** How an A/B test splits its visitors. */
export interface AbTestOptions {
  /** The activity's name: two locations with the same one show a visitor the same experience. @default the location's name */
  readonly activity?: string;
  /** Shares by experience name, in any unit; an experience that is not named gets none. @default the same for each */
  readonly weights?: Readonly<Record<string, number>>;
}

/**
 * An A/B test: each visitor sees one of the named experiences, always the same one. The options carry the
 * response tokens `activity.name`, `experience.id` and `experience.name`.
 */
export function abTest(
  experiences: Readonly<Record<string, LocationOffers>>,
  { activity, weights }: AbTestOptions = {},
): OfferFunction {
  const arms = Object.entries(experiences)
    .map(([name, offers], position) => ({ name, id: position, offers, share: shareOf(name, weights) }))
    .filter(({ share }) => share > 0);
  const last = arms.at(-1);
  if (!last) throw new TypeError('abTest: at least one experience needs a weight above 0');
  const total = arms.reduce((sum, { share }) => sum + share, 0);

  return (location, call) => {
    const activityName = activity ?? location.name;
    let rest = allocate(activityName, call.visitor) * total;
    const arm =
      arms.find(({ share }) => {
        rest -= share;
        return rest < 0;
      }) ?? last;
    const script = toScript(arm.offers);
    const tokens = { 'activity.name': activityName, 'experience.id': arm.id, 'experience.name': arm.name };
    return { ...script, options: script.options.map((offer) => withTokens(offer, tokens)) };
  };
}

function shareOf(name: string, weights: AbTestOptions['weights']): number {
  if (!weights) return 1;
  const share = Object.hasOwn(weights, name) ? (weights[name] ?? 0) : 0;
  if (!Number.isFinite(share) || share < 0)
    throw new TypeError(`abTest: the weight of ${name} must be a number from 0`);
  return share;
}

function withTokens(offer: Offer, tokens: NonNullable<Offer['responseTokens']>): Offer {
  return { ...offer, responseTokens: { ...tokens, ...offer.responseTokens } };
}

/** A number in [0, 1) that depends on the activity and the visitor alone. */
function allocate(activity: string, visitor: string): number {
  return createHash('sha256').update(`${activity}\0${visitor}`).digest().readUInt32BE() / 2 ** 32;
}
