import type { APIGatewayProxyHandlerV2 } from 'aws-lambda';
import { createVisit } from 'target-node-sdk/http';
import { page } from './page.js';
import { client, options } from './target.js';

export const handler: APIGatewayProxyHandlerV2 = async ({
  cookies,
  headers,
  rawPath,
  rawQueryString,
  ...event
}) => {
  const { domainName, http } = event.requestContext;
  const query = rawQueryString && `?${rawQueryString}`;
  const incoming = {
    url: `https://${headers.host ?? domainName}${rawPath}${query}`,
    method: http.method,
    ipAddress: http.sourceIp,
    header: (name: string) => (name === 'cookie' ? cookies?.join('; ') : headers[name]),
  };
  const visit = createVisit(client, incoming, options);
  const body = await page(visit);
  await client.flush({ timeout: 500 });
  const others = visit.headers().filter(([name]) => name !== 'Set-Cookie');
  return {
    statusCode: 200,
    headers: { ...Object.fromEntries(others), 'Content-Type': 'text/html; charset=utf-8' },
    cookies: [...visit.setCookies],
    body,
  };
};
