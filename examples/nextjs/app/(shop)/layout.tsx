import '../style.css';
import { headers } from 'next/headers';
import Link from 'next/link';
import { beaconScript } from 'target-node-sdk/http';
import { readFlags } from '../flags';

export const metadata = { title: 'Harbour Coffee', icons: { icon: 'data:,' } };

/** The frame of every page with offers. */
export default async function ShopLayout({ children }: { readonly children: React.ReactNode }) {
  const { searchHint } = await readFlags();
  const nonce = (await headers()).get('x-nonce') ?? undefined;
  return (
    <html lang="en">
      <body>
        <header>
          <Link href="/">
            <strong>Harbour Coffee</strong>
          </Link>
          <search>
            <form>
              <input type="search" name="q" aria-label="Search" placeholder={searchHint} />
            </form>
          </search>
        </header>
        <main>{children}</main>
        <div dangerouslySetInnerHTML={{ __html: beaconScript({ endpoint: '/target', nonce }) }} />
      </body>
    </html>
  );
}
