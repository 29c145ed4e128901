import Default, {
  type DeliveryRequest,
  type DeliveryResponse,
  TargetClient,
  TargetError,
} from 'target-node-sdk';
import { readCookies, toSetCookieHeaders } from 'target-node-sdk/http';
import { html, startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';

export const started: Promise<TargetEdge> = startTargetEdge({
  offers: { mboxes: { greeting: html('hello') } },
});

export async function greet(edge: TargetEdge, cookieHeader: string): Promise<readonly string[]> {
  const client = TargetClient.create({ ...edge.config, timeout: 1000, logger: { debug() {}, error() {} } });
  const request: DeliveryRequest = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
  const cookies = readCookies(cookieHeader, edge.config.organizationId);
  const answer = await client.getOffers({ request, ...cookies });
  const response: DeliveryResponse = answer.response;

  // @ts-expect-error a field that the Delivery API does not have
  await client.getOffers({ request: { execute: { mboxs: [] } } });
  // @ts-expect-error the organization is missing
  TargetClient.create({ client: 'demo' });

  const flags = await client.getAttributes<{ flags: { beta: boolean } }>(['flags']);
  const beta: boolean = flags.getValue('flags', 'beta');
  // @ts-expect-error the flag is a boolean
  const wrong: string = flags.getValue('flags', 'beta');

  await client.close();
  return [response.execute?.mboxes?.[0]?.name ?? '', String(beta), wrong, ...toSetCookieHeaders(answer)];
}

export const isOneClass: boolean = Default === TargetClient;
export const made = (): TargetClient => Default.create({ client: 'demo', organizationId: 'DEMO@AdobeOrg' });

export function codeOf(error: unknown): string | undefined {
  return error instanceof TargetError ? error.code : undefined;
}
