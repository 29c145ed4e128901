import Link from 'next/link';
import { PRODUCTS } from '../products';
import { order } from './actions';
import { readFlags } from './flags';

/** The bags, shown as the visitor's flags want it. */
export async function Products() {
  const { showStock, productsPerRow } = await readFlags();
  return (
    <ul className="products" style={{ gridTemplateColumns: `repeat(${productsPerRow}, minmax(0, 1fr))` }}>
      {PRODUCTS.map(({ slug, name, notes, price, stock }) => (
        <li key={slug}>
          <h2>
            <Link href={`/coffee/${slug}`} prefetch>
              {name}
            </Link>
          </h2>
          <p>{notes}</p>
          <p>
            <strong>€{price}</strong>
            {showStock && <span className="stock">{stock} left</span>}
          </p>
          <form action={order}>
            <button name="product" value={slug} aria-label={`Buy ${name}`} type="submit">
              Buy
            </button>
          </form>
        </li>
      ))}
    </ul>
  );
}
