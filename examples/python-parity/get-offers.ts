import {
  TargetClient,
  type TargetClientConfig,
  type TargetDeliveryResponse,
  type TargetError,
} from 'target-node-sdk';

/** Executes the mbox `a1-serverside-ab` as soon as the client is ready. */
export async function getOffers(config: TargetClientConfig): Promise<TargetDeliveryResponse> {
  const client = TargetClient.create(config);
  await client.ready();
  return client.getOffers({
    request: {
      context: { channel: 'web' },
      execute: { mboxes: [{ name: 'a1-serverside-ab', index: 1 }] },
    },
  });
}

/** What Python's `callback` and `err_callback` become; the call begins with the event `clientReady`. */
export function getOffersWithCallbacks(
  config: TargetClientConfig,
  callback: (answer: TargetDeliveryResponse) => void,
  errCallback: (error: TargetError) => void,
): void {
  const clientReady = () =>
    client.getOffers({
      request: {
        context: { channel: 'web' },
        execute: { mboxes: [{ name: 'a1-serverside-ab', index: 1 }] },
      },
      callback,
      errCallback,
    });
  const client = TargetClient.create({ ...config, events: { clientReady } });
}
