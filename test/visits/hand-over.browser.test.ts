import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createVisit, fromNodeRequest, toInlineJson } from '../../src/adapters/http.js';
import type { DeliveryRequest, TargetClient } from '../../src/index.js';
import { actions, html } from '../../src/testing/edge.js';
import { type Browser, chromiumPath, isChromiumMissing, launchChromium } from '../examples/chromium.js';
import { withServers } from '../listening.js';
import { withEdge } from '../with-edge.js';
import { AT_JS_STAND_IN } from './at-js.stand-in.js';

/** Text that would end a script or a string of it, if it were not escaped. */
const EVIL = '</script><!-- <script> ]]> \u2028 \u2029 " \' \\ &lt;';
const OFFER = `<h1>Free delivery ${'\u2028'}</h1><script>document.title = "ran <!-- </scr" + "ipt>";</script>
<style>#hero h1 { color: rgb(1, 2, 3) }</style>`;

const bench = withEdge({
  offers: {
    mboxes: { hero: html('hero') },
    pageLoad: actions([{ type: 'setHtml', selector: '#hero', content: OFFER }]),
    views: { home: actions([{ type: 'setHtml', selector: '#menu', content: EVIL }]) },
  },
});
const servers = withServers();
const PAGE: DeliveryRequest = {
  execute: { pageLoad: { parameters: { evil: EVIL } } },
  prefetch: { views: [{ parameters: { evil: EVIL } }] },
};

/** A page under a strict policy, for which one request is decided and handed over. */
async function answerPage(
  client: TargetClient,
  decided: DeliveryRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const visit = createVisit(client, fromNodeRequest(incoming), { cookies: { secure: 'auto' } });
  const answer = await visit.getOffers({ request: decided });
  const nonce = randomBytes(16).toString('base64');
  const source = `'nonce-${nonce}'`;
  for (const [name, value] of visit.headers()) {
    response.appendHeader(name, value);
  }
  response.appendHeader('Content-Type', 'text/html; charset=utf-8');
  response.appendHeader(
    'Content-Security-Policy',
    `default-src 'none'; script-src ${source}; style-src ${source}; connect-src 'self'; base-uri 'none'`,
  );
  response.end(`<!doctype html><html><head><title>Shop</title>
    <script nonce="${nonce}">window.targetGlobalSettings = { timeout: 500 };</script>
    ${visit.handOver({ pageParams: { evil: EVIL } }).script(nonce)}
    <script nonce="${nonce}" src="/at.js"></script>
    <script type="application/json" id="answered">${toInlineJson({ ...answer, nonce })}</script>
    </head><body><div id="hero"><h1>Welcome</h1></div><div id="menu"></div>
    <pre id="recorded"></pre><footer>the end</footer></body></html>`);
}

function inBrowser(): void {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** Opens a page, and resolves to what the stand-in has recorded there. */
  async function open(decided: DeliveryRequest) {
    const client = bench.connect();
    const bodies: string[] = [];
    const { host } = await servers.listen(
      createServer(async (incoming, response) => {
        if (incoming.url === '/at.js') {
          response.setHeader('Content-Type', 'text/javascript').end(AT_JS_STAND_IN);
        } else if (incoming.url === '/delivery') {
          for await (const chunk of incoming) {
            bodies.push(String(chunk));
          }
          response.end('{}');
        } else {
          await answerPage(client, decided, incoming, response);
        }
      }),
    );
    const errors: string[] = [];
    const page = await (await browser.newContext()).newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`http://${host}/`);
    await page.locator('body[data-state=done]').waitFor();
    const recorded = JSON.parse(await page.locator('#recorded').innerText());
    const answered = JSON.parse((await page.locator('#answered').textContent()) ?? '');
    return { page, recorded, answered, errors, bodies };
  }

  test('at.js shows the decision of the server without a call of its own, and no policy is broken', async () => {
    const { page, recorded, answered, errors, bodies } = await open(PAGE);
    const { request, response, visitorState, nonce } = answered;
    expect(recorded.settings).toEqual({
      timeout: 500,
      serverState: {
        request: {
          requestId: request.requestId,
          ...(request.id && { id: request.id }),
          context: { channel: 'web' },
          experienceCloud: request.experienceCloud,
          execute: request.execute,
          prefetch: request.prefetch,
        },
        response,
      },
      overrideMboxEdgeServer: false,
      cspScriptNonce: nonce,
      cspStyleNonce: nonce,
    });
    expect(recorded.settings.serverState.request.execute.pageLoad.parameters).toEqual({ evil: EVIL });
    expect(recorded.visitorState).toEqual(visitorState);
    expect(recorded.pageParams).toEqual({ evil: EVIL });
    expect([recorded.violations, recorded.calls, errors, bodies]).toEqual([[], [], [], []]);
    expect(recorded.shown).toEqual(['#hero']);
    expect(await page.locator('#hero h1').innerText()).toContain('Free delivery');
    expect(recorded.color).toBe('rgb(1, 2, 3)');
    expect(await page.title()).toBe('ran <!-- </script>');
    expect(await page.locator('footer').innerText()).toBe('the end');
    expect(bench.edge.requests).toHaveLength(1);
  });

  test('at.js asks for itself when only mboxes were decided, with the parameters of the page', async () => {
    const { recorded, errors, bodies } = await open({ execute: { mboxes: [{ name: 'hero' }] } });
    expect(recorded.settings).not.toHaveProperty('serverState');
    expect(recorded.calls).toEqual(['/delivery']);
    expect(bodies.map((body) => JSON.parse(body))).toEqual([{ evil: EVIL }]);
    expect([recorded.violations, errors]).toEqual([[], []]);
  });
}

if (isChromiumMissing) {
  test.skip(`the hand-over in a browser: skipped, there is no ${chromiumPath}; CHROMIUM_PATH can name another`, () =>
    undefined);
} else {
  describe('the hand-over in a browser', inBrowser);
}
