import { TargetClient, type TargetClientConfig } from 'target-node-sdk';

/** Prefetches the mboxes `home` and `product1`, shows the second one, and tells Target that it did. */
export async function sendNotifications(config: TargetClientConfig) {
  const client = TargetClient.create(config);
  const prefetched = await client.getOffers({
    request: { prefetch: { mboxes: [{ name: 'home' }, { name: 'product1' }] } },
  });

  const product = prefetched.response.prefetch?.mboxes?.find(({ name }) => name === 'product1');
  const [offer] = product?.options ?? [];
  if (!product || offer?.eventToken === undefined) {
    throw new Error('there is no offer for product1');
  }
  console.log(offer.content);

  const notified = await client.sendNotifications({
    request: {
      notifications: [
        {
          id: '1',
          type: 'display',
          timestamp: Date.now(),
          mbox: { name: product.name, state: product.state },
          tokens: [offer.eventToken],
        },
      ],
    },
    // The visitor who was shown the offer; in a web server, the browser's cookies say who that is.
    targetCookie: prefetched.targetCookie.value,
    targetLocationHint: prefetched.targetLocationHintCookie?.value,
  });
  return { prefetched, notified };
}
