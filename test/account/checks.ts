import { randomUUID } from 'node:crypto';
import {
  type DeliveryRequest,
  type Notification,
  type Option,
  type TargetClient,
  TargetError,
} from '../../src/index.js';

/** The account and the activities that are asked. */
export interface Account {
  readonly client: TargetClient;
  /** The mboxes by the kind of their activity, such as `ab` or `xt`. The first one counts visitors. */
  readonly mboxes: ReadonlyMap<string, string>;
  readonly artifactUrl: string;
}

/**
 * What one check found. `read a report` needs a person: `seen` says what to look at, and which number means what. Nothing
 * in it names the account, a visitor or an mbox, so that everybody may read it.
 */
export interface Finding {
  readonly what: string;
  readonly answer: 'yes' | 'no' | 'read a report' | 'failed';
  readonly seen: string;
}

interface Check {
  readonly what: string;
  run(account: Account): Promise<Omit<Finding, 'what'>[]>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Runs one check after the other. A check that fails does not stop the others. */
export async function runChecks(account: Account): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { what, run } of CHECKS) {
    try {
      findings.push(...(await run(account)).map((finding) => ({ what, ...finding })));
    } catch (error) {
      findings.push({ what, answer: 'failed', seen: reasonOf(error) });
    }
  }
  return findings;
}

const yesOrNo = (isSo: boolean, seen: string) => ({ answer: isSo ? 'yes' : 'no', seen }) as const;
const toReport = (seen: string) => ({ answer: 'read a report', seen }) as const;

const CHECKS: readonly Check[] = [
  { what: 'A call without offers (`identify`) returns a tntId', run: checkIdentify },
  { what: 'A tntId that was made here is kept', run: checkMinted },
  { what: 'The same `impressionId` in two executed requests counts once', run: checkImpressions },
  { what: 'The same `impressionId` in two notifications counts once', run: checkNotifications },
  { what: 'A prefetch answers this kind of activity with event tokens', run: checkPrefetch },
  { what: 'Two mboxes of one name in one request get two answers', run: checkEqualNames },
  { what: 'A notification of the past is accepted', run: checkOldTimestamps },
  { what: 'The artifact has `Last-Modified`', run: checkLastModified },
];

async function checkIdentify({ client }: Account) {
  const { response, targetLocationHintCookie } = await client.identify();
  const { tntId } = response.id ?? {};
  const form = tntId && /^[\da-f]{32}\.\d{1,4}_\d+$/.test(tntId) ? 'the usual form' : 'another form';
  const cluster = targetLocationHintCookie ? 'a cluster' : 'no cluster';
  return [yesOrNo(Boolean(tntId), tntId ? `a tntId of ${form}, and ${cluster}` : `no tntId, and ${cluster}`)];
}

async function checkMinted({ client }: Account) {
  const minted = newId();
  const first = await client.identify({ request: { id: { tntId: minted } } });
  const answered = first.response.id?.tntId;
  const next = await client.identify({ targetCookie: first.targetCookie });
  const isKept = answered === minted || answered?.startsWith(`${minted}.`) === true;
  const hint = answered?.includes('.') ? 'with a location hint' : 'without a location hint';
  const isSame = next.response.id?.tntId === answered;
  return [
    yesOrNo(isKept, isKept ? `it came back ${hint}` : 'another one came back'),
    yesOrNo(isSame, isSame ? 'the next call has the same one' : 'the next call has another one'),
  ];
}

async function checkImpressions({ client, mboxes }: Account) {
  const [name = ''] = mboxes.values();
  const execute: DeliveryRequest['execute'] = { mboxes: [{ name, index: 1 }] };
  const show = async (visitor: string, impressionId: string) => {
    const id = { tntId: visitor };
    return optionsOf(await client.getOffers({ request: { id, execute, impressionId } }));
  };
  const [one, control, impressionId] = [newId(), newId(), newId()];
  const shown = [
    await show(one, impressionId),
    await show(one, impressionId),
    await show(control, newId()),
    await show(control, newId()),
  ];
  if (shown.some((options) => options.length === 0)) {
    return [yesOrNo(false, 'no offer was shown, so nothing can be counted: choose another mbox')];
  }
  return [
    toReport(
      'two visitors saw the first mbox twice. Open the report of its activity, for this day, with the counting ' +
        'methodology "Activity Impressions", when it has caught up, and compare with the number before the run: this check adds 3 when the ' +
        'same id counts once, and 4 when it counts twice',
    ),
  ];
}

async function checkNotifications({ client, mboxes }: Account) {
  const [name = ''] = mboxes.values();
  const id = { tntId: newId() };
  const shown = await prefetch(client, id, name);
  if (shown.tokens.length === 0) {
    return [yesOrNo(false, 'the prefetch has no event token, so nothing can be reported')];
  }
  const impressionId = newId();
  const accepted: boolean[] = [];
  for (let time = 0; time < 2; time += 1) {
    accepted.push(await report(client, id, { ...shown, impressionId, timestamp: Date.now() }));
  }
  const isAccepted = accepted.every(Boolean);
  return [
    yesOrNo(isAccepted, isAccepted ? 'both notifications are confirmed' : 'not both are confirmed'),
    toReport('in the same report this check adds 1 when the same id counts once, and 2 when it counts twice'),
  ];
}

async function checkPrefetch({ client, mboxes }: Account) {
  const findings: Omit<Finding, 'what'>[] = [];
  for (const [kind, name] of mboxes) {
    const { options, tokens, mbox } = await prefetch(client, { tntId: newId() }, name);
    const state = mbox?.state === undefined ? 'no state' : 'a state';
    const isWhole = options > 0 && tokens.length === options;
    findings.push(yesOrNo(isWhole, `${kind}: options ${options}, event tokens ${tokens.length}, ${state}`));
  }
  return findings;
}

async function checkEqualNames({ client, mboxes }: Account) {
  const [name = ''] = mboxes.values();
  const twice = [
    { name, index: 1, parameters: { verify: 'first' } },
    { name, index: 2, parameters: { verify: 'second' } },
  ];
  const request = { id: { tntId: newId() }, prefetch: { mboxes: twice } };
  const { response } = await client.getOffers({ request });
  const indexes = (response.prefetch?.mboxes ?? []).map(({ index }) => index);
  const isEach = indexes.includes(1) && indexes.includes(2);
  return [yesOrNo(isEach, `answers ${indexes.length}, with the indexes ${indexes.join(' and ')}`)];
}

async function checkOldTimestamps({ client, mboxes }: Account) {
  const [name = ''] = mboxes.values();
  const findings: Omit<Finding, 'what'>[] = [];
  for (const [age, ageMs] of [
    ['one hour', DAY_MS / 24],
    ['one day', DAY_MS],
    ['three days', 3 * DAY_MS],
  ] as const) {
    const id = { tntId: newId() };
    const shown = await prefetch(client, id, name);
    const timestamp = Date.now() - ageMs;
    const isConfirmed = await report(client, id, { ...shown, impressionId: newId(), timestamp }).catch(
      (error: unknown) => {
        if (error instanceof TargetError && error.code === 'ERR_TARGET_RESPONSE') {
          return false;
        }
        throw error;
      },
    );
    findings.push(yesOrNo(isConfirmed, `${age} old: ${isConfirmed ? 'confirmed' : 'not confirmed'}`));
  }
  const where =
    'in the same report, by day: each confirmed one adds 1 to the day of its timestamp, or to this day';
  return [...findings, toReport(where)];
}

async function checkLastModified({ artifactUrl }: Account) {
  const response = await fetch(artifactUrl, { signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
  if (response.status !== 200) {
    return [yesOrNo(false, `the artifact is answered with the status ${response.status}`)];
  }
  const names = ['last-modified', 'etag', 'age', 'cache-control'].filter((name) =>
    response.headers.has(name),
  );
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  return [yesOrNo(!Number.isNaN(modified), `headers: ${names.join(', ') || 'none of interest'}`)];
}

type Shown = Pick<Notification, 'mbox'> & { readonly tokens: string[]; readonly options: number };

/** Prefetches an mbox, and returns the parts of the answer that a notification repeats. */
async function prefetch(client: TargetClient, id: { tntId: string }, name: string): Promise<Shown> {
  const request = { id, prefetch: { mboxes: [{ name, index: 1 }] } };
  const answer = await client.getOffers({ request });
  const options = optionsOf(answer);
  const tokens = options.flatMap(({ eventToken }) => eventToken ?? []);
  const state = answer.response.prefetch?.mboxes?.[0]?.state;
  return { mbox: { name, ...(state !== undefined && { state }) }, tokens, options: options.length };
}

/** Reports a display, and tells whether the edge confirms it. */
async function report(
  client: TargetClient,
  visitor: { tntId: string },
  { mbox, tokens, impressionId, timestamp }: Shown & { impressionId: string; timestamp: number },
): Promise<boolean> {
  const id = newId();
  const notification = { id, impressionId, type: 'display', timestamp, mbox, tokens } as const;
  const request = { id: visitor, notifications: [notification] };
  const { response } = await client.sendNotifications({ request });
  return response.notifications?.some((confirmed) => confirmed.id === id) ?? false;
}

function optionsOf({ response }: Awaited<ReturnType<TargetClient['getOffers']>>): readonly Option[] {
  const { execute, prefetch } = response;
  return (execute?.mboxes ?? prefetch?.mboxes ?? []).flatMap(({ options }) => options ?? []);
}

const newId = () => randomUUID().replaceAll('-', '');

/** Names an error without its message, which can name the host and so the account. */
function reasonOf(error: unknown): string {
  if (!(error instanceof TargetError)) {
    return error instanceof Error ? error.name : 'an unknown error';
  }
  return error.status === undefined ? error.code : `${error.code}, status ${error.status}`;
}
