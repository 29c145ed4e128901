/** A shop's page with offers and flags of Adobe Target; see README.md for the account's environment variables. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { closeOnSignal } from 'target-node-sdk';
import { target } from 'target-node-sdk/express';
import { listen } from '../listen.js';
import { reportClick } from './click.js';
import { decide } from './decide.js';
import { addDemoRoutes, toDemoControls } from './demo.js';
import { toPage } from './page.js';
import { PRODUCTS } from './products.js';
import { connectTarget } from './target.js';

const GRACE_MS = 8_000;
/** The words for what `/claim` tells the page in its address. */
const CLAIMED = new Map<unknown, string>([
  ['counted', 'Claimed. Target has counted your click.'],
  ['yes', 'Claimed.'],
]);

const { name, client, options, demo } = await connectTarget(process.env);
const app = express();
app.disable('x-powered-by');
// Whose `X-Forwarded-…` headers to believe. Name your own proxy here: the visitor's address and https depend on it.
app.set('trust proxy', 'loopback');
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));
app.use(target(client, options));

app.get('/', async (request, response) => {
  const decisions = await decide(request.target);
  const claimed = CLAIMED.get(request.query.claimed) ?? '';
  const ordered = request.query.ordered === 'yes' ? 'Thank you for your order.' : '';
  response.type('html').send(toPage(decisions, { claimed, ordered, controls: toDemoControls(demo) }));
});

const limit = '10kb';
app.post('/claim', express.json({ limit }), express.urlencoded({ limit }), async (request, response) => {
  // Whatever claiming means to the shop happens here; telling Target about it never decides whether it does.
  const isReported = await reportClick(request.target, request.body, request.get('referer'));
  // Scripts send JSON; a form, where there is no script, sends fields and wants a page.
  if (request.is('json')) {
    response.json({ isReported });
  } else {
    response.redirect(303, isReported ? '/?claimed=counted' : '/?claimed=yes');
  }
});

app.post('/order', express.urlencoded({ limit }), (request, response) => {
  const product = PRODUCTS.find((known) => known.name === request.body?.product);
  if (!product) {
    response.redirect(303, '/');
    return;
  }
  // Target counts the order behind the answer, for the activities that the visitor has seen.
  const order = { id: randomUUID(), total: product.price, purchasedProductIds: [product.name] };
  request.target.track('orderConfirmPage', { order });
  response.redirect(303, '/?ordered=yes');
});

addDemoRoutes(app, demo);

const server = await listen(app, Number(process.env.PORT ?? 3000));
const address = server.address();
const port = typeof address === 'object' ? address?.port : undefined;
console.log(`http://localhost:${port} shows offers of ${name}`);

// Pages under way are answered, then what the client still has to send is sent.
closeOnSignal(client, { server, timeout: GRACE_MS });
