import { numberOf } from '../../../client-numbers';
import { target } from '../../../target';

/** Tells which client a server component has. A check edits the text. */
export default async function ProbePage() {
  await target.visit();
  return <p>client {numberOf(target.client())}, text before</p>;
}
