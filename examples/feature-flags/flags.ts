import type { TargetClient, TargetDeliveryResponse } from 'target-node-sdk';

/** The flags of the mbox `checkout-flags`: the keys of its JSON offers. */
export interface CheckoutFlags {
  readonly onePage: boolean;
  readonly payButton: string;
  readonly freeDeliveryFrom: number;
}

/** The mboxes with flags, for `getAttributes`. */
type Flags = { readonly 'checkout-flags': CheckoutFlags };

/** What was decided for one customer. */
export interface Decision {
  readonly customer: string;
  readonly experience: string;
  readonly flags: CheckoutFlags;
}

const MBOX = 'checkout-flags';
const DEFAULTS: CheckoutFlags = { onePage: false, payButton: 'Continue', freeDeliveryFrom: 50 };

/** Decides the flags of a customer. Never rejects: without rules, there are the defaults. */
export async function decideFlags(client: TargetClient, customer: string): Promise<Decision> {
  try {
    const flags = await client.getAttributes<Flags>([MBOX], {
      request: {
        id: { thirdPartyId: customer },
        context: { channel: 'web' },
        // Prefetched and not executed: who looks at this table has not shown anything to the customer.
        prefetch: { mboxes: [{ name: MBOX }] },
      },
    });
    return {
      customer,
      experience: toExperience(flags.getResponse()),
      // Offers are written by people: what is missing or of the wrong type gets its default.
      flags: {
        onePage: flags.getBoolean(MBOX, 'onePage', DEFAULTS.onePage),
        payButton: flags.getString(MBOX, 'payButton', DEFAULTS.payButton),
        freeDeliveryFrom: flags.getNumber(MBOX, 'freeDeliveryFrom', DEFAULTS.freeDeliveryFrom),
      },
    };
  } catch (error) {
    console.error(`the defaults are used: ${error}`);
    return { customer, experience: 'Default: nothing to decide by', flags: DEFAULTS };
  }
}

function toExperience({ responseTokens, meta }: TargetDeliveryResponse): string {
  if (meta.remoteMboxes.length > 0) {
    return 'Default: only the edge can decide';
  }
  const name = responseTokens?.[0]?.['experience.name'];
  return typeof name === 'string' ? name : 'Without a name';
}
