import { toBeacon } from 'target-node-sdk/http';
import { target } from '../target';

/** An offer that is counted when the browser has shown it, and not before. So it may stand at the end of a long page. */
export async function PrefetchedOffer({ mbox }: { readonly mbox: string }) {
  const visit = await target.visit();
  const answer = await visit.getOffers({ request: { prefetch: { mboxes: [{ name: mbox }] } } });
  const content = answer.response.prefetch?.mboxes?.[0]?.options?.[0]?.content;
  if (typeof content !== 'string') {
    return null;
  }
  return (
    <aside
      data-target-display={mbox}
      data-target-beacon={toBeacon(answer)}
      dangerouslySetInnerHTML={{ __html: content }}
    />
  );
}
