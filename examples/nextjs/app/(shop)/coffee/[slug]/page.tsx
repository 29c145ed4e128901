import { notFound } from 'next/navigation';
import { PRODUCTS } from '../../../../products';
import { Offer } from '../../../offer';

/** The page of one bag. Links load it ahead; its offer is counted when somebody sees it. */
export default async function CoffeePage({
  params,
}: {
  readonly params: Promise<{ readonly slug: string }>;
}) {
  const { slug } = await params;
  const product = PRODUCTS.find((known) => known.slug === slug);
  if (!product) {
    notFound();
  }
  return (
    <>
      <h1>{product.name}</h1>
      <p>{product.notes}</p>
      <Offer mbox="tip">
        <p>Keep it dry and cool.</p>
      </Offer>
    </>
  );
}
