import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { type TargetEnv, target } from 'target-node-sdk/hono';
import { page } from './page.js';
import { client, options } from './target.js';

const app = new Hono<TargetEnv>();
app.use(target(client, options));
app.get('/', async (c) => c.html(await page(c.get('target'))));
serve({ fetch: app.fetch, port: 3000 });
