import { deepEqual, equal, match } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { TargetEdge } from 'target-node-sdk/testing';
import type { Report } from '../../package/report.js';
import type { Project } from '../project.js';
import { startServer } from '../server.js';
import { callsTo, PATIENT_MS } from '../stage.js';
import { Visitor } from '../visitor.js';

/** What is tried on servers of its own. */
interface LifetimeOptions {
  readonly name: string;
  readonly project: Project;
  readonly edge: TargetEdge;
  readonly report: Report;
}

/** Conversions that are under way when the signal comes. */
const CONVERSIONS = 20;
/** So long the edge keeps a client waiting, so that the signal comes before the answers. */
const SLOW_MS = 2_000;
/** Between two looks at a page. */
const LOOK_MS = 200;

/** A signal loses nothing that was to be reported. */
export async function checkSignal({ name, project, edge, report }: LifetimeOptions): Promise<void> {
  edge.clearRequests();
  await report.check(`${name}: SIGTERM loses no report`, async () => {
    const server = await startServer({ project, edge });
    const visitor = new Visitor(server.url);
    await visitor.open('/');
    edge.fault({ kind: 'delay', ms: SLOW_MS }, { times: Infinity });
    const answers = await Promise.all(
      Array.from({ length: CONVERSIONS }, () => visitor.open('/probe', { method: 'POST' })),
    );
    deepEqual(new Set(answers.map(({ status }) => status)), new Set([204]));
    equal(await server.stop('SIGTERM'), 0, server.output());
    const orders = callsTo(edge).filter(({ delivery }) =>
      delivery?.execute?.mboxes?.some(({ order }) => order),
    );
    equal(orders.length, CONVERSIONS);
    deepEqual(new Set(orders.map(({ status }) => status)), new Set([200]));
  });
  edge.clearFaults();
}

/** Editing files under the development server makes no second client. */
export async function checkHotReload({ name, project, edge, report }: LifetimeOptions): Promise<void> {
  edge.clearRequests();
  await report.check(`${name}: a file that is edited under next dev makes no second client`, async () => {
    const server = await startServer({ project, edge, mode: 'dev' });
    const page = 'app/(probe)/probe-page/page.tsx';
    const open = async () =>
      (await new Visitor(server.url).open('/probe-page')).text.replace(/<!-- -->/g, '');
    match(await open(), /client 1, text before/);
    project.edit(page, 'text before', 'text in between');
    await waitForText(open, /client 1, text in between/);
    // The module that makes the client runs again.
    project.edit('target.ts', 'export const target', 'export const edited = true;\nexport const target');
    project.edit(page, 'text in between', 'text after');
    await waitForText(open, /client 1, text after/);
    await server.stop();
  });
}

async function waitForText(open: () => Promise<string>, wanted: RegExp): Promise<void> {
  const late = Date.now() + PATIENT_MS;
  let text = await open();
  while (!wanted.test(text) && Date.now() < late) {
    await delay(LOOK_MS);
    text = await open();
  }
  match(text, wanted);
}
