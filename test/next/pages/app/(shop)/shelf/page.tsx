import Link from 'next/link';
import { PrefetchedOffer } from '../../prefetched-offer';

/** A page with a prefetched offer in view, another one far below, and links whose pages are loaded ahead. */
export default function ShelfPage() {
  return (
    <>
      <PrefetchedOffer mbox="above" />
      <Link href="/coffee/kenya" prefetch>
        Loaded ahead
      </Link>{' '}
      <Link href="/coffee/colombia">Loaded on hover</Link>{' '}
      <a href="/coffee/ethiopia">Loaded by the browser</a>
      <div style={{ height: '400vh' }} />
      <PrefetchedOffer mbox="below" />
    </>
  );
}
