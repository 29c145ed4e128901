import Fastify from 'fastify';
import { target } from 'target-node-sdk/fastify';
import { page } from './page.js';
import { client, options } from './target.js';

const app = Fastify();
await app.register(target, { client, ...options });
app.get('/', async (request, reply) => {
  return reply.type('text/html').send(await page(request.target));
});
await app.listen({ port: 3000 });
