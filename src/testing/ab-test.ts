import { createHash } from 'node:crypto';
import { refuseUnknown } from './known-options.js';
import type { LocationOffers, Offer, OfferFunction } from './offers.js';
import { toScript } from './offers.js';

/** Options of {@link abTest}. */
export interface AbTestOptions {
  /**
   * The name of the activity. Locations with the same name show a visitor the same experience.
   * @default the location's name
   */
  readonly activity?: string;
  /**
   * The share of visitors by experience name, in any unit, such as `{ control: 9, variant: 1 }`. An experience that is
   * not named is never shown.
   * @default equal shares
   */
  readonly weights?: Readonly<Record<string, number>>;
}

/**
 * Makes an offer function for an A/B test. Each visitor sees one of the named experiences, and always the same one. The
 * options carry the response tokens `activity.name`, `experience.id` and `experience.name`.
 *
 * @throws {TypeError} for a weight that is negative or not a finite number, or when no experience has a weight above 0.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for an unknown option, and for the weight of an unknown experience.
 *
 * @example
 * ```ts
 * const edge = await startTargetEdge({
 *   offers: { mboxes: { hero: abTest({ control: html('<p>A</p>'), variant: html('<p>B</p>') }) } },
 * });
 * ```
 */
export function abTest(
  experiences: Readonly<Record<string, LocationOffers>>,
  options: AbTestOptions = {},
): OfferFunction {
  refuseUnknown(options, ['activity', 'weights'], 'abTest');
  const { activity, weights } = options;
  refuseUnknown(weights ?? {}, Object.keys(experiences), 'abTest.weights');
  const arms = Object.entries(experiences)
    .map(([name, offers], position) => ({ name, id: position, offers, share: shareOf(name, weights) }))
    .filter(({ share }) => share > 0);
  const last = arms.at(-1);
  if (!last) {
    throw new TypeError('abTest: at least one experience needs a weight above 0');
  }
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
    const tokens = {
      'activity.type': 'ab',
      'activity.name': activityName,
      'experience.id': arm.id,
      'experience.name': arm.name,
    };
    return { ...script, options: script.options.map((offer) => withTokens(offer, tokens)) };
  };
}

function shareOf(name: string, weights: AbTestOptions['weights']): number {
  if (!weights) {
    return 1;
  }
  const share = Object.hasOwn(weights, name) ? (weights[name] ?? 0) : 0;
  if (!Number.isFinite(share) || share < 0) {
    throw new TypeError(`abTest: the weight of ${name} must be a number from 0`);
  }
  return share;
}

function withTokens(offer: Offer, tokens: NonNullable<Offer['responseTokens']>): Offer {
  return { ...offer, responseTokens: { ...tokens, ...offer.responseTokens } };
}

/** Returns a number from 0 up to but not including 1. It depends on the activity and the visitor alone. */
function allocate(activity: string, visitor: string): number {
  return createHash('sha256').update(`${activity}\0${visitor}`).digest().readUInt32BE() / 2 ** 32;
}
