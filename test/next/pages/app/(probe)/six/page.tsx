import { target } from '../../../target';

const NAMES = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6'];

/** Shows an offer that names the visitor whom the edge was asked for. */
async function Part({ name }: { readonly name: string }) {
  const visit = await target.visit();
  return <li>{await visit.offer(name, 'default')}</li>;
}

/** Six components that ask by themselves. */
export default function SixPage() {
  return (
    <ul>
      {NAMES.map((name) => (
        <Part key={name} name={name} />
      ))}
    </ul>
  );
}
