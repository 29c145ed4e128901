import { unstable_cache } from 'next/cache';
import { target } from '../../../target';

export const dynamic = 'force-dynamic';

const ask = unstable_cache(async () => (await target.visit()).offer('q1', 'default'));

/** Asks in a function whose result Next.js keeps for all visitors, which is wrong. */
export default async function KeptPage() {
  return <p>{await ask()}</p>;
}
