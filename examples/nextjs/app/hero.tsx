import { toBeacon } from 'target-node-sdk/http';
import { target } from '../target';
import { claim } from './actions';

/** What everybody sees when Target cannot be asked, or has nothing for this visitor. */
const DEFAULT = '<h1>Fresh coffee from the harbour</h1><p>Roasted on Mondays, with you by Wednesday.</p>';

/** Asks for the mbox `hero`. Whoever asks again in the same page gets the same answer. */
export async function getHero() {
  const visit = await target.visit();
  return visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
}

/** The A/B-tested banner. It is part of the page's HTML, so nothing flickers. Its button counts a click. */
export async function Hero({ claimed }: { readonly claimed: string }) {
  const answer = await getHero();
  const [mbox] = answer.response.execute?.mboxes ?? [];
  const content = mbox?.options?.find(({ type }) => type === 'html')?.content;
  const token = mbox?.metrics?.find(({ type }) => type === 'click')?.eventToken;
  return (
    <section className="hero" aria-label="Offer of the week">
      <div
        id="hero"
        data-target-display="hero"
        data-target-beacon={toBeacon(answer)}
        // People whom you trust with your site write the offers of type html.
        dangerouslySetInnerHTML={{ __html: typeof content === 'string' ? content : DEFAULT }}
      />
      <form id="claim" action={claim}>
        <input type="hidden" name="token" value={token ?? ''} />
        <button type="submit">Claim this offer</button>
      </form>
      <p id="claimed" role="status">
        {claimed}
      </p>
    </section>
  );
}
