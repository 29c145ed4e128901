import { ownFieldOf } from '../inherited-names.js';
import { isRecord, scalarToText } from '../json.js';
import type { TargetDeliveryResponse } from '../response.js';

/** An activity that a visitor is part of, and the visitor's experience of it. */
export interface DataLayerActivity {
  /** The id of the activity. It is absent when the account does not give the token `activity.id`. */
  readonly activityId?: string;
  /** The name of the activity. It is absent without the token `activity.name`. */
  readonly activityName?: string;
  /** The id of the experience in its activity. It is absent without the token `experience.id`. */
  readonly experienceId?: string;
  /** The name of the experience. It is absent without the token `experience.name`. */
  readonly experienceName?: string;
}

const FIELDS = {
  activityId: 'activity.id',
  activityName: 'activity.name',
  experienceId: 'experience.id',
  experienceName: 'experience.name',
} as const satisfies Record<keyof DataLayerActivity, string>;

/**
 * Lists the activities of an answer with the visitor's experience of each, for the data layer of an analytics tag. Each
 * pair is listed once, in the order of the answer, also when several offers belong to it. It holds no id of the visitor.
 *
 * The pairs are those of the response tokens. An account gives `activity.id`, `activity.name`, `experience.id` and
 * `experience.name` when they are switched on under Administration > Response Tokens. Offers without any of them are left
 * out. It never throws: a value that is no answer has no activities.
 *
 * Prefetched offers are listed too, although the visitor may not have seen them yet.
 *
 * @see https://experienceleague.adobe.com/en/docs/target/using/administer/response-tokens
 * @example
 * ```ts
 * const answer = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * const script = `dataLayer.push({ event: 'target', activities: ${toInlineJson(toDataLayer(answer))} });`;
 * ```
 */
export function toDataLayer(answer: TargetDeliveryResponse): DataLayerActivity[] {
  try {
    const tokens: unknown = isRecord(answer) ? ownFieldOf(answer, 'responseTokens') : undefined;
    const found = new Map<string, DataLayerActivity>();
    for (const each of Array.isArray(tokens) ? tokens : []) {
      const activity = isRecord(each) ? toActivity(each) : {};
      if (Object.keys(activity).length > 0) {
        found.set(JSON.stringify(activity), activity);
      }
    }
    return [...found.values()];
  } catch {
    // A getter or a proxy of the caller throws. The page works without its data layer.
    return [];
  }
}

function toActivity(tokens: object): DataLayerActivity {
  const fields = Object.entries(FIELDS).map(([field, token]) => [
    field,
    scalarToText(ownFieldOf(tokens, token)),
  ]);
  return Object.fromEntries(fields.filter(([, text]) => text));
}
