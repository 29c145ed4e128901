import { TargetError } from 'target-node-sdk';
import { numberOf } from '../../../client-numbers';
import { target } from '../../../target';

/** Tells which client this bundle has, and whether it knows an error of the package. */
export async function GET(): Promise<Response> {
  const visit = await target.visit();
  const wrong = visit.getOffers({ request: { execute: { mboxes: [{ name: '' }] } } });
  const error = await wrong.catch((reason: unknown) => reason);
  await visit.offer('q1', 'default');
  await target.commit();
  return Response.json({ client: numberOf(target.client()), isKnown: error instanceof TargetError });
}

/** Tracks a conversion in the background, and answers at once. */
export async function POST(): Promise<Response> {
  const visit = await target.visit();
  visit.track('orderConfirmPage', { order: { id: crypto.randomUUID(), total: 1 } });
  return new Response(null, { status: 204 });
}
