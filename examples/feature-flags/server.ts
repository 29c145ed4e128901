/** Feature flags decided in this process; see README.md for the account's environment variables. */
import { fileURLToPath } from 'node:url';
import express, { type Response } from 'express';
import { closeOnSignal } from 'target-node-sdk';
import { listen } from '../listen.js';
import { CUSTOMERS } from './customers.js';
import type { Demo } from './demo.js';
import { type Decision, decideFlags } from './flags.js';
import { toPage } from './page.js';
import { connectTarget } from './target.js';

const GRACE_MS = 8_000;

const target = await connectTarget(process.env);
/** What the customers had by the rules before these; empty for the first ones. */
let before: readonly Decision[] = [];
let decisions = 0;

const app = express();
app.disable('x-powered-by');
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));

app.get('/', async (_request, response) => {
  const started = performance.now();
  const decided = await decideAll();
  const tookMs = performance.now() - started;
  decisions += decided.length;
  response.set('Cache-Control', 'private, no-store');
  response.type('html').send(toPage({ target, decided, before, decisions, tookMs }));
});

if (target.demo) {
  addDemoButtons(target.demo);
}

function addDemoButtons(demo: Demo): void {
  const backToPage = (response: Response) => response.redirect(303, '/');
  app.post('/publish', async (_request, response) => {
    const old = await decideAll();
    try {
      await demo.publish(target.client);
      before = old;
    } catch (error) {
      console.error(`the old rules stay in use: ${error}`);
    }
    backToPage(response);
  });
  app.post('/stop', async (_request, response) => {
    await demo.stop();
    backToPage(response);
  });
  app.post('/restart', async (_request, response) => {
    await demo.restart();
    backToPage(response);
  });
}

function decideAll(): Promise<Decision[]> {
  return Promise.all(CUSTOMERS.map((customer) => decideFlags(target.client, customer)));
}

const server = await listen(app, Number(process.env.PORT ?? 3000));
const address = server.address();
const port = typeof address === 'object' ? address?.port : undefined;
console.log(`http://localhost:${port} shows flags of ${target.name}`);

// Pages under way are answered, then what the client still has to send is sent.
closeOnSignal(target.client, { server, timeout: GRACE_MS });
