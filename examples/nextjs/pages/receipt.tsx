import type { GetServerSideProps } from 'next';
import { target } from '../target';

interface ReceiptProps {
  readonly offer: string;
}

/** Asks for the visitor's offer in the Pages Router. The answer sets the cookies of the visit. */
export const getServerSideProps: GetServerSideProps<ReceiptProps> = async ({ req, res }) => {
  const visit = target.visitOf(req, res);
  return { props: { offer: await visit.offer('receipt', '<p>See you soon.</p>') } };
};

/** A page of the Pages Router. */
export default function ReceiptPage({ offer }: ReceiptProps) {
  return (
    <main>
      <h1>Your receipt</h1>
      <div id="offer" dangerouslySetInnerHTML={{ __html: offer }} />
    </main>
  );
}
