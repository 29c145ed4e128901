/** A shop's page with offers and flags of Adobe Target; see README.md for the account's environment variables. */
import { fileURLToPath } from 'node:url';
import express from 'express';
import { closeOnSignal } from 'target-node-sdk';
import { listen } from '../listen.js';
import { reportClick } from './click.js';
import { decide } from './decide.js';
import { addDemoRoutes, toDemoControls } from './demo.js';
import { toPage } from './page.js';
import { connectTarget } from './target.js';

const GRACE_MS = 8_000;
/** The words for what `/claim` tells the page in its address. */
const CLAIMED = new Map<unknown, string>([
  ['counted', 'Claimed. Target has counted your click.'],
  ['yes', 'Claimed.'],
]);

const target = await connectTarget(process.env);
const app = express();
app.disable('x-powered-by');
// Whose `X-Forwarded-…` headers to believe. Name your own proxy here: the visitor's address and https depend on it.
app.set('trust proxy', 'loopback');
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));

app.get('/', async (request, response) => {
  const decisions = await decide(target, request);
  response.append('Set-Cookie', decisions.setCookies);
  response.set('Cache-Control', 'private, no-store');
  const claimed = CLAIMED.get(request.query.claimed) ?? '';
  response.type('html').send(toPage(decisions, { claimed, controls: toDemoControls(target.demo) }));
});

const limit = '10kb';
app.post('/claim', express.json({ limit }), express.urlencoded({ limit }), async (request, response) => {
  // Whatever claiming means to the shop happens here; telling Target about it never decides whether it does.
  const { isReported, setCookies } = await reportClick(target, request);
  response.append('Set-Cookie', setCookies);
  // Scripts send JSON; a form, where there is no script, sends fields and wants a page.
  if (request.is('json')) {
    response.json({ isReported });
  } else {
    response.redirect(303, isReported ? '/?claimed=counted' : '/?claimed=yes');
  }
});

addDemoRoutes(app, target.demo);

const server = await listen(app, Number(process.env.PORT ?? 3000));
const address = server.address();
const port = typeof address === 'object' ? address?.port : undefined;
console.log(`http://localhost:${port} shows offers of ${target.name}`);

// Pages under way are answered, then what the client still has to send is sent.
closeOnSignal(target.client, { server, timeout: GRACE_MS });
