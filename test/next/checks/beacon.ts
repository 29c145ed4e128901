import { deepEqual, equal } from 'node:assert/strict';
import { type Checks, callsTo, inBrowser } from '../stage.js';
import { Visitor } from '../visitor.js';

/** Reports that no page of the shop has sent. */
export const beaconChecks: Checks = {
  'a report of another site is refused, and reaches nobody': async (stage) => {
    const { server, edge } = stage;
    const visitor = new Visitor(server.url);
    await visitor.open('/shelf');
    const before = callsTo(edge).length;
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'none' }]) {
      const { status } = await visitor.open('/target', { method: 'POST', body: '[]', headers });
      equal(status, 403);
    }
    await visitor.open('/shelf');
    equal(callsTo(edge).length, before + 1);
  },
  'a browser on another site cannot report': (stage) =>
    inBrowser(stage, async (tab) => {
      const { server, edge } = stage;
      const statuses: unknown[] = [];
      tab.on('response', (response) => {
        if (response.url().endsWith('/target')) {
          statuses.push(response.status());
        }
      });
      await tab.goto(`http://${edge.host}/`);
      await tab.evaluate(
        `fetch('${server.url}/target', { method: 'POST', mode: 'no-cors', body: '[]' }).then(() => undefined)`,
      );
      deepEqual(statuses, [403]);
    }),
  'a report that is none is refused': async ({ server }) => {
    const visitor = new Visitor(server.url);
    await visitor.open('/');
    const send = async (body: string) => {
      const headers = { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' };
      return (await visitor.open('/target', { method: 'POST', body, headers })).status;
    };
    deepEqual([await send('{'), await send('null'), await send(`"${'x'.repeat(70_000)}"`)], [400, 400, 413]);
  },
};
