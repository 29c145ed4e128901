import type { CustomerId, Notification, DeliveryRequest as StrictDeliveryRequest } from '../delivery-api.js';
import type { CustomerIdEntry } from '../identity/customer-ids.js';

/**
 * Parameters as a caller may write them. Numbers and booleans are sent as texts. `null` and `undefined` are left out. A
 * list is sent as one text, joined by commas.
 */
export type LooseParameters = Readonly<
  Record<
    string,
    string | number | boolean | null | undefined | readonly (string | number | boolean | null | undefined)[]
  >
>;

/**
 * Converts a type of the API to the type that a caller may write. Numbers may stand for texts, texts of digits for
 * numbers, `'true'` and `'false'` for booleans, and `null` for a missing value. Words such as `'web'` stay a closed
 * list, because the compiler can then find a typo. A page load may be `true`, which stands for an empty one. A time has to
 * be a text, because a number could count seconds or milliseconds.
 */
export type Loose<Strict> = Strict extends CustomerId
  ? CustomerIdEntry
  : Strict extends readonly (infer Item)[]
    ? readonly (Loose<Item> | null | undefined)[]
    : Strict extends object
      ? {
          [Field in keyof Strict]:
            | (Field extends 'parameters' | 'profileParameters'
                ? LooseParameters
                : Field extends 'time'
                  ? Strict[Field]
                  : Loose<Strict[Field]> | (Field extends 'pageLoad' ? boolean : never))
            | Extract<Strict[Field], undefined>
            | null;
        }
      : string extends Strict
        ? string | number
        : number extends Strict
          ? number | `${number}`
          : Strict extends boolean
            ? Strict | `${Strict}`
            : Strict;

/** A notification as a caller may write it. `id`, `type` and `timestamp` are never converted. */
export type LooseNotification = Pick<Notification, 'id' | 'type' | 'timestamp'> &
  Loose<Omit<Notification, 'id' | 'type' | 'timestamp'>>;

/** The fields of a request that are sent as they are. */
type PassedOn = 'telemetry' | 'trace';

/**
 * The request of a call, in the format of the Delivery API. A value that means the same in another type is converted: a
 * number to a text, a text of digits to a number, `'true'` and `'false'` to booleans. `null` counts as absent. Unknown
 * fields are left out with a warning. Any other wrong value makes the call reject with `ERR_TARGET_INVALID_REQUEST`,
 * and `path` of the error names the field.
 *
 * Write the request in the call, or add `satisfies DeliveryRequest` to a constant. The compiler then knows `'web'` as
 * one of the channels and not as any text.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/overview
 *
 * @example
 * ```ts
 * const request = {
 *   context: { channel: 'web' },
 *   execute: { mboxes: [{ name: 'hero' }] },
 * } satisfies DeliveryRequest;
 * ```
 */
export interface DeliveryRequest
  extends Pick<StrictDeliveryRequest, PassedOn>,
    Loose<Omit<StrictDeliveryRequest, PassedOn | 'notifications'>> {
  /**
   * Reports of displays and clicks. `id`, `type` and `timestamp` are never converted: a notification without one of
   * them, or with another type of value, is left out with a warning.
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/notifications
   */
  readonly notifications?: readonly (LooseNotification | null | undefined)[] | null | undefined;
}
