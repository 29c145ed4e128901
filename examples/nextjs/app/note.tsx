import { target } from '../target';

/** The JSON offer of the mbox `delivery-note`. */
interface DeliveryNote {
  readonly text: string;
  readonly freeFrom: number;
}

/** A line about delivery. */
export async function Note() {
  const visit = await target.visit();
  const note = await visit.getAttributes<{ 'delivery-note': DeliveryNote }>(['delivery-note']);
  const text = note.getString('delivery-note', 'text', 'We deliver within three days.');
  return (
    <p id="note" className="note">
      {text} Free delivery from €{note.getNumber('delivery-note', 'freeFrom', 50)}.
    </p>
  );
}
