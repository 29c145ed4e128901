import { createVisit, fromFetchRequest } from 'target-node-sdk/http';
import { page } from './page.js';
import { client, options } from './target.js';

export default {
  async fetch(request: Request): Promise<Response> {
    const visit = createVisit(client, fromFetchRequest(request), options);
    const html = await page(visit);
    return new Response(html, {
      headers: [['Content-Type', 'text/html; charset=utf-8'], ...visit.headers()],
    });
  },
};
