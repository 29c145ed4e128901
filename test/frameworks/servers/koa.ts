import Koa from 'koa';
import { createVisit } from 'target-node-sdk/http';
import { page } from './page.js';
import { client, options } from './target.js';

const app = new Koa();
app.use(async (ctx) => {
  const { href, method, ip } = ctx;
  const incoming = { url: href, method, ipAddress: ip, header: (name: string) => ctx.get(name) };
  const visit = createVisit(client, incoming, options);
  ctx.body = await page(visit);
  for (const [name, value] of visit.headers()) {
    ctx.append(name, value);
  }
});
app.listen(3000);
