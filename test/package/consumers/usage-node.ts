import { Agent, createServer } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { TargetClient } from 'target-node-sdk';
import { readCookies, toSetCookieHeaders } from 'target-node-sdk/http';

const agents = { 'http:': new Agent(), 'https:': new SecureAgent() };
const organizationId = 'DEMO@AdobeOrg';
const client = TargetClient.create({
  client: 'demo',
  organizationId,
  logger: console,
  agent: (url) => (url.protocol === 'http:' ? agents['http:'] : agents['https:']),
});
TargetClient.create({ client: 'demo', organizationId, agent: agents['https:'] });

export const server = createServer(async (request, response) => {
  const cookies = readCookies(request.headers.cookie, organizationId);
  const answer = await client.getOffers({ request: { execute: { pageLoad: {} } }, ...cookies });
  response.setHeader('set-cookie', toSetCookieHeaders(answer)).end();
});
