import type { CustomerId, Notification, DeliveryRequest as StrictDeliveryRequest } from '../delivery-api.js';
import type { CustomerIdEntry } from '../identity/customer-ids.js';

/** A value of a parameter. Numbers and booleans are sent as texts. */
type ParameterValue = string | number | boolean | null | undefined;

/** Parameters as a caller may write them: a list is sent as one text, joined by commas. */
type LooseParameters = Readonly<Record<string, ParameterValue | readonly ParameterValue[]>>;

/** Fields whose names say what else is taken than the type of the API. */
interface LooseFields<Strict> {
  readonly parameters: LooseParameters;
  readonly profileParameters: LooseParameters;
  /** True stands for an empty page load. */
  readonly pageLoad: Loose<Strict> | boolean;
  /** A number could count seconds or milliseconds. */
  readonly time: Strict;
}

/**
 * The same type as a caller may write it: numbers for texts, texts of digits for numbers, `'true'` and `'false'` for
 * booleans, null for what is not there. Words such as `'web'` stay a closed list, so that a typo is an error.
 */
export type Loose<Strict> = Strict extends CustomerId
  ? CustomerIdEntry
  : Strict extends readonly (infer Item)[]
    ? readonly (Loose<Item> | null | undefined)[]
    : Strict extends object
      ? LooseObject<Strict>
      : LooseScalar<Strict>;

type LooseObject<Strict> = {
  [Field in keyof Strict]:
    | (Field extends keyof LooseFields<unknown> ? LooseFields<Strict[Field]>[Field] : Loose<Strict[Field]>)
    | Extract<Strict[Field], undefined>
    | null;
};

type LooseScalar<Strict> = string extends Strict
  ? string | number
  : number extends Strict
    ? number | `${number}`
    : Strict extends boolean
      ? Strict | `${Strict}`
      : Strict;

/** The fields of a notification that must have their very types. */
type ExactFields = 'id' | 'type' | 'timestamp';

/** A notification as a caller may write it. */
type LooseNotification = Pick<Notification, ExactFields> & LooseObject<Omit<Notification, ExactFields>>;

/** The fields of a request that are passed on as they are. */
type PassedOn = 'telemetry' | 'trace';

/**
 * The request of a call, as a caller may write it. Values that say the same in another type are converted: numbers to texts,
 * texts of digits to numbers, `'true'` and `'false'` to booleans. Null counts as absent. Write a request in the call, or add
 * `satisfies DeliveryRequest` to a constant: the compiler then knows `'web'` as one of the channels and not as any text.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/overview
 * @example
 * const request = {
 *   context: { channel: 'web' },
 *   execute: { mboxes: [{ name: 'hero' }] },
 * } satisfies DeliveryRequest;
 */
export interface DeliveryRequest
  extends Pick<StrictDeliveryRequest, PassedOn>,
    LooseObject<Omit<StrictDeliveryRequest, PassedOn | 'notifications'>> {
  readonly notifications?: readonly (LooseNotification | null | undefined)[] | null | undefined;
}
