import { TargetClient } from 'target-node-sdk';
import { type Finding, fail, ok, warn } from './doctor-check.js';

/** The part of a cookie that may be shown. */
const SHOWN_LENGTH = 4;
const MAX_ENCODINGS = 3;

interface Part {
  readonly name: string;
  readonly id: string;
  /** The time of its end, in s since 1970. */
  readonly ends: number;
}

/** Reads an mbox cookie. A client says which ids it takes from it, and this function only tells the times. */
export async function checkCookie(cookie: string, now: number): Promise<Finding> {
  const parts = partsOf(cookie);
  const session = parts.find(({ name }) => name === 'session');
  const device = parts.find(({ name }) => name === 'PC');
  if (!session && !device) {
    return fail(
      'it has neither a session nor a PC',
      'give the value of the cookie mbox as the browser sends it: session#…#…|PC#…#…',
    );
  }
  const taken = await idsTakenFrom(cookie);
  const words = [
    session && describe('session', session, { now, isTaken: taken.has(session.id) }),
    device && describe('PC', device, { now, isTaken: taken.has(device.id) }),
    hintOf(device),
  ].filter((word) => word !== undefined && word !== '');
  const isLost = [session, device].some((part) => part !== undefined && !taken.has(part.id));
  const text = words.join(', ');
  return isLost
    ? warn(
        text,
        'an id that is over or malformed makes a new session or a new visitor: set the cookie of each answer',
      )
    : ok(text);
}

function describe(
  name: string,
  { id, ends }: Part,
  { now, isTaken }: { readonly now: number; readonly isTaken: boolean },
): string {
  const shown = `${name} ${id.slice(0, SHOWN_LENGTH)}…`;
  const seconds = ends - now / 1000;
  if (isTaken) {
    return `${shown} for ${spanOf(seconds)}`;
  }
  return seconds < 0 ? `${shown} over for ${spanOf(-seconds)}` : `${shown} malformed`;
}

function spanOf(seconds: number): string {
  const units = [
    ['days', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const;
  const [word, length] = units.find(([, size]) => seconds >= 2 * size) ?? ['min', 60];
  return `${Math.floor(seconds / length)} ${word}`;
}

function hintOf(device: Part | undefined): string {
  const [, hint] = /\.(\d{1,4})_\d+$/.exec(device?.id ?? '') ?? [];
  return hint === undefined ? '' : `cluster ${hint}`;
}

/** Splits a cookie, which programs on its way may have percent-encoded. */
function partsOf(cookie: string): Part[] {
  const text = decoded(cookie.slice(0, 4096).replace(/^"|"$/g, ''));
  return text.split('|').flatMap((part) => {
    const [name = '', id = '', ends = ''] = part.split('#');
    return id === '' ? [] : [{ name, id, ends: /^\d{1,15}$/.test(ends) ? Number(ends) : Number.NaN }];
  });
}

function decoded(text: string): string {
  let value = text;
  try {
    for (let times = 0; times < MAX_ENCODINGS && !value.includes('#'); times += 1) {
      value = decodeURIComponent(value);
    }
  } catch {
    // A percent sign that encodes nothing ends the decoding.
  }
  return value;
}

/** Lets a client that sends nothing read the cookie, and returns the ids that it took. */
async function idsTakenFrom(cookie: string): Promise<ReadonlySet<string>> {
  const client = TargetClient.create({
    client: 'doctor',
    organizationId: '0@AdobeOrg',
    decisioningMethod: 'on-device',
    artifactPayload: { version: '1.0.0', rules: { mboxes: {}, views: {} } },
    pollingInterval: 0,
    telemetryEnabled: false,
    targetLocationHint: '35',
  });
  try {
    const { targetCookie } = await client.identify({ targetCookie: cookie });
    return new Set(partsOf(targetCookie?.value ?? '').map(({ id }) => id));
  } finally {
    await client.close({ timeout: 1 });
  }
}
