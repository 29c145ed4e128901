import { Hero } from '../hero';
import { Note } from '../note';
import { PrefetchedOffer } from '../prefetched-offer';
import { Products } from '../products';
import { VisitFacts } from '../visit-facts';

/** The words for what the actions tell the page in its address. */
const CLAIMED: Readonly<Record<string, string>> = {
  counted: 'Claimed. Target has counted your click.',
  yes: 'Claimed.',
};

interface ShopPageProps {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>;
}

/** The first page. Its parts ask Target by themselves, and the visit makes one call of their questions. */
export default async function ShopPage({ searchParams }: ShopPageProps) {
  const { claimed, ordered } = await searchParams;
  return (
    <>
      <Hero claimed={CLAIMED[String(claimed)] ?? ''} />
      <p id="ordered" className="note" role="status">
        {ordered === 'yes' && 'Thank you for your order.'}
      </p>
      <Note />
      <Products />
      <VisitFacts />
      <PrefetchedOffer mbox="pairing" />
    </>
  );
}
