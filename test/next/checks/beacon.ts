import { deepEqual, equal, ok } from 'node:assert/strict';
import { type Checks, callsTo, inBrowser, PATIENT_MS, type Stage } from '../stage.js';
import { Visitor } from '../visitor.js';

/** A notification that a page keeps, as far as the checks change it. */
interface Kept {
  readonly id: string;
  readonly mbox?: { readonly name?: string };
}

/** The headers with which a page of the shop reports. */
const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' };

/** Opens a page as a new visitor, and returns what the page would report of an offer in view. */
async function openShelf({ server }: Stage): Promise<{ visitor: Visitor; display: Kept }> {
  const visitor = new Visitor(server.url);
  const { text } = await visitor.open('/shelf');
  const attributes = [...text.matchAll(/data-target-beacon="([^"]*)"/g)].map(([, json = '']) => json);
  const kept = attributes.flatMap((json): Kept[] => JSON.parse(json.replaceAll('&quot;', '"')));
  const display = kept.find(({ mbox }) => mbox?.name === 'above');
  ok(display, `the page has nothing to report: ${attributes.join()}`);
  return { visitor, display };
}

/** Sends a report as the page does, and proves that of all reports this one alone reaches the edge. */
async function proveAlone({ edge }: Stage, visitor: Visitor, display: Kept): Promise<void> {
  const body = JSON.stringify([display]);
  const { status } = await visitor.open('/target', { method: 'POST', body, headers: OWN_PAGE });
  equal(status, 204);
  await edge.waitForRequests(1, {
    where: ({ delivery }) => delivery?.notifications?.some(({ id }) => id === display.id) === true,
    timeoutMs: PATIENT_MS,
  });
  const reported = callsTo(edge).flatMap(({ delivery }) => delivery?.notifications ?? []);
  deepEqual(
    reported.map(({ id, type, mbox }) => [id, type, mbox?.name]),
    [[display.id, 'display', 'above']],
  );
}

/** Reports that no page of the shop has sent. */
export const beaconChecks: Checks = {
  'a report of another site is refused, and reaches nobody': async (stage) => {
    const { visitor, display } = await openShelf(stage);
    for (const site of ['cross-site', 'none']) {
      const body = JSON.stringify([{ ...display, id: `forged-${site}` }]);
      const headers = { ...OWN_PAGE, 'Sec-Fetch-Site': site };
      const { status } = await visitor.open('/target', { method: 'POST', body, headers });
      equal(status, 403);
    }
    await proveAlone(stage, visitor, display);
  },
  'a browser on another site cannot report': (stage) =>
    inBrowser(stage, async (tab) => {
      const { server, edge } = stage;
      const { visitor, display } = await openShelf(stage);
      const statuses: unknown[] = [];
      tab.on('response', (response) => {
        if (response.url().endsWith('/target')) {
          statuses.push(response.status());
        }
      });
      await tab.goto(`http://${edge.host}/`);
      const init = { method: 'POST', mode: 'no-cors', body: JSON.stringify([{ ...display, id: 'forged' }]) };
      await tab.evaluate(`fetch('${server.url}/target', ${JSON.stringify(init)}).then(() => undefined)`);
      deepEqual(statuses, [403]);
      await proveAlone(stage, visitor, display);
    }),
  'a report that is none is refused': async ({ server }) => {
    const visitor = new Visitor(server.url);
    await visitor.open('/');
    const send = async (body: string) =>
      (await visitor.open('/target', { method: 'POST', body, headers: OWN_PAGE })).status;
    deepEqual([await send('{'), await send('null'), await send(`"${'x'.repeat(70_000)}"`)], [400, 400, 413]);
  },
};
