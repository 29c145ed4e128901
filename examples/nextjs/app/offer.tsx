import { toBeacon } from 'target-node-sdk/http';
import { target } from '../target';

interface OfferProps {
  readonly mbox: string;
  /** The default content: shown when Target cannot be asked, or has nothing for this visitor. */
  readonly children: React.ReactNode;
}

/**
 * The offer of an mbox, as HTML by the activity's author. Each offer asks by itself, and the visit makes one call of the
 * questions of a page. The attributes let the browser report an offer that was loaded before it was shown.
 */
export async function Offer({ mbox, children }: OfferProps) {
  const visit = await target.visit();
  const answer = await visit.getOffers({ request: { execute: { mboxes: [{ name: mbox }] } } });
  const [option] = answer.response.execute?.mboxes?.[0]?.options ?? [];
  if (option?.type !== 'html' || typeof option.content !== 'string') {
    return <div>{children}</div>;
  }
  return (
    <div
      data-target-display={mbox}
      data-target-beacon={toBeacon(answer)}
      dangerouslySetInnerHTML={{ __html: option.content }}
    />
  );
}
