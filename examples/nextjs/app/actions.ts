'use server';

import { randomUUID } from 'node:crypto';
import { redirect } from 'next/navigation';
import { PRODUCTS } from '../products';
import { target } from '../target';

/** Orders a bag. Target counts the order behind the answer, for the activities that the visitor has seen. */
export async function order(form: FormData): Promise<void> {
  const product = PRODUCTS.find(({ slug }) => slug === form.get('product'));
  if (!product) {
    redirect('/');
  }
  const visit = await target.visit();
  const details = { id: randomUUID(), total: product.price, purchasedProductIds: [product.slug] };
  visit.track('orderConfirmPage', { order: details });
  await target.commit();
  redirect('/?ordered=yes');
}

/** Reports the click on the hero's button, by the token that came with the hero. */
export async function claim(form: FormData): Promise<void> {
  const token = form.get('token');
  const isCounted = typeof token === 'string' && token !== '' && (await reportClick(token));
  redirect(isCounted ? '/?claimed=counted' : '/?claimed=yes');
}

async function reportClick(token: string): Promise<boolean> {
  const id = randomUUID();
  const visit = await target.visit();
  try {
    const { response } = await visit.sendNotifications({
      request: {
        notifications: [
          { id, type: 'click', timestamp: Date.now(), mbox: { name: 'hero' }, tokens: [token] },
        ],
      },
    });
    await target.commit();
    // Target names the notifications that it took; one with a token that it does not know is missing.
    return response.notifications?.some((notification) => notification.id === id) ?? false;
  } catch (error) {
    console.error(`a click was not reported: ${error}`);
    return false;
  }
}
