import { createServer } from 'node:http';
import { createVisit, fromNodeRequest } from 'target-node-sdk/http';
import { page } from './page.js';
import { client, options } from './target.js';

const server = createServer(async (request, response) => {
  const visit = createVisit(client, fromNodeRequest(request), options);
  const html = await page(visit);
  for (const [name, value] of visit.headers()) {
    response.appendHeader(name, value);
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8').end(html);
});
server.listen(3000);
