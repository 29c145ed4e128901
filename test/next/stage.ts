import type { ReceivedRequest, TargetEdge } from 'target-node-sdk/testing';
import { html } from 'target-node-sdk/testing';
import { nextOffers } from '../../examples/next-demo/offers.js';
import type { Report } from '../package/report.js';
import type { Browser, Profile, Tab } from './browser.js';
import type { NextServer } from './server.js';

/** Where checks take place. */
export interface Stage {
  /** The row and its version. */
  readonly name: string;
  readonly edge: TargetEdge;
  readonly server: NextServer;
  readonly browser: Browser;
  readonly report: Report;
}

/** The checks of one topic, by the sentence that each of them proves. */
export type Checks = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** Longer than anything takes that will happen, on a busy machine too. */
export const PATIENT_MS = 120_000;

type Call = { readonly sessionId: string; readonly tntId: string };

const echo = (_: unknown, { sessionId, tntId }: Call) => html(`${sessionId} ${tntId}`);

/** The offers of the example, and some that name the visitor whom they are for. */
export const offers = {
  mboxes: {
    ...nextOffers.mboxes,
    ...Object.fromEntries(['q1', 'q2', 'q3', 'q4', 'q5', 'q6'].map((name) => [name, echo])),
    above: html('<p>Above</p>'),
    below: html('<p>Below</p>'),
  },
};

/** Runs checks one after the other, each with an edge that has seen nothing and fails nothing. */
export async function runChecks(stage: Stage, checks: Checks): Promise<void> {
  for (const [what, run] of Object.entries(checks)) {
    stage.edge.clearRequests();
    stage.edge.clearFaults();
    await stage.report.check(`${stage.name}: ${what}`, () => run(stage));
  }
}

/** Gives a check a tab of a new visitor, and closes it. */
export async function inBrowser<T>(
  { browser }: Stage,
  run: (tab: Tab, profile: Profile) => Promise<T>,
  options = { javaScriptEnabled: true },
): Promise<T> {
  const profile = await browser.newContext(options);
  profile.setDefaultTimeout(PATIENT_MS);
  try {
    return await run(await profile.newPage(), profile);
  } finally {
    await profile.close();
  }
}

/** The calls for offers or with reports that the edge got. */
export function callsTo(edge: TargetEdge): readonly ReceivedRequest[] {
  return edge.requestsTo(({ delivery }) => delivery !== undefined);
}

/** The impressions of an mbox that the edge counts: executed questions and reported displays. */
export function impressionsOf(edge: TargetEdge, mbox: string): string[] {
  return callsTo(edge).flatMap(({ delivery }) => [
    ...(delivery?.execute?.mboxes ?? []).filter(({ name }) => name === mbox).map(() => 'execute'),
    ...(delivery?.notifications ?? [])
      .filter(({ type, mbox: of }) => type === 'display' && of?.name === mbox)
      .map(() => 'display'),
  ]);
}

/** The text of an element of a page, by its id. */
export function textOf(page: string, id: string): string {
  const [, text = ''] = new RegExp(`id="${id}"[^>]*>(.*?)</(?:p|div|h1|table)>`, 's').exec(page) ?? [];
  return text.replace(/<!-- -->/g, '');
}

/** A row of the table of facts about the visit. */
export function factOf(page: string, name: string): string | undefined {
  return new RegExp(`<th scope="row">${name}</th><td>([^<]*)</td>`).exec(page)?.[1];
}
