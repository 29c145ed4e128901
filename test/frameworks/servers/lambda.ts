import type { APIGatewayProxyHandlerV2 } from 'aws-lambda';
import { createVisit } from 'target-node-sdk/http';
import { page } from './page.js';
import { client, options } from './target.js';

export const handler: APIGatewayProxyHandlerV2 = async ({ cookies, headers, rawPath, ...event }) => {
  const { domainName, http } = event.requestContext;
  const incoming = {
    url: `https://${domainName}${rawPath}?${event.rawQueryString}`,
    method: http.method,
    ipAddress: http.sourceIp,
    header: (name: string) => (name === 'cookie' ? cookies?.join('; ') : headers[name]),
  };
  const visit = createVisit(client, incoming, options);
  const body = await page(visit);
  const { setCookies } = visit;
  await client.flush({ timeout: 500 });
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'text/html', 'Cache-Control': 'private, no-store' },
    cookies: [...setCookies],
    body,
  };
};
