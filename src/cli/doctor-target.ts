import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { TargetClient, type TargetClientConfig, TargetError } from 'target-node-sdk';
import { type Finding, fail, ok, skip, warn } from './doctor-check.js';
import { remedyForReason, within } from './doctor-network.js';
import { counted } from './titles.js';

/** The channel on which Node.js tells of each answer, https://nodejs.org/api/diagnostics_channel.html#http. */
const ANSWERS = 'http.client.response.finish';
const DELIVERY_PATH = '/rest/v1/delivery';
/** A date in a header has whole seconds, and an answer is some time under way. */
const MAX_SKEW_MS = 30_000;

/** The host that is asked, as far as a remedy depends on it. */
export interface AskedHost {
  readonly timeoutMs: number;
  /** The flag that names its host. It is undefined for a host of Adobe. */
  readonly flag: string | undefined;
  /** True when it is on this machine. */
  readonly isLocal: boolean;
  /** True when it is asked over plain HTTP. */
  readonly isPlain: boolean;
  /** The host that is named for delivery calls, when the artifact is asked at the public CDN all the same. */
  readonly beside?: 'local' | 'other';
}

/** Facts that the answers to the client's own calls bring along. */
export interface Noted {
  /** The difference of the clock of this machine from that of the edge, in ms. */
  skewMs?: number;
  /** The time at which the artifact was modified, as its host says. */
  modified?: string;
}

/** Notes facts of the answers that come while work goes on. The client sends as always. */
export async function noting<Value>(
  now: () => number,
  noted: Noted,
  work: () => Promise<Value>,
): Promise<Value> {
  const note = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if (request.path.startsWith(DELIVERY_PATH)) {
      const date = Date.parse(response.headers.date ?? '');
      if (!Number.isNaN(date)) {
        noted.skewMs = now() - date;
      }
    } else if (response.headers['last-modified'] !== undefined) {
      noted.modified = response.headers['last-modified'];
    }
  };
  subscribe(ANSWERS, note);
  try {
    return await work();
  } finally {
    unsubscribe(ANSWERS, note);
  }
}

/** Asks the edge for nothing that counts, by a call of a client. */
export async function checkDelivery(config: TargetClientConfig, asked: AskedHost): Promise<Finding> {
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'server-side',
    telemetryEnabled: false,
    retry: { retries: 0 },
  });
  try {
    const { response } = await client.identify({ timeout: asked.timeoutMs });
    return ok(`answered with status ${response.status}`);
  } catch (error) {
    return toDeliveryFinding(error, asked);
  } finally {
    await client.close({ timeout: 1 });
  }
}

function toDeliveryFinding(error: unknown, asked: AskedHost): Finding {
  const { timeoutMs } = asked;
  if (!(error instanceof TargetError)) {
    throw error;
  }
  const { code, status, message } = error;
  if (code === 'ERR_TARGET_TIMEOUT') {
    const remedy = 'the host answers TCP but not HTTP: a proxy or a load balancer in between';
    return fail(`no answer within ${timeoutMs} ms`, remedy);
  }
  if (code === 'ERR_TARGET_RESPONSE' && status !== undefined) {
    return fail(`answered with status ${status}`, remedyForStatus(status));
  }
  if (code === 'ERR_TARGET_INVALID_RESPONSE') {
    return fail(message, 'something else answers in place of Target: look at proxies and at the host');
  }
  return fail(message, remedyOfNetwork(message, asked) ?? CUT_OFF);
}

const CUT_OFF = 'something in between cuts connections off: a firewall or a proxy; ask its owner';

/** The remedy for an error of the network. The client's message names the reason. */
function remedyOfNetwork(message: string, asked: AskedHost): string | undefined {
  const known = remedyOfProxy(message) ?? remedyForReason(message, asked);
  // A port for TLS ends connections over which plain HTTP comes.
  const isCutOff = /ECONNRESET|EPIPE|socket hang up/i.test(message);
  const isPerhapsTls = asked.isPlain && isCutOff;
  return known ?? (isPerhapsTls ? `${CUT_OFF}; or this port speaks TLS: leave --insecure out` : undefined);
}

/** The remedy for an error of a proxy. The client's message names the status of its refusal. */
function remedyOfProxy(message: string): string | undefined {
  if (/the proxy refused it with status 407/.test(message)) {
    return 'the proxy wants a user and a password: write http://user:password@host:port in its variable';
  }
  if (/the proxy refused/.test(message)) {
    return 'the proxy does not let it pass: ask its owner';
  }
  return /the proxy opened no tunnel/.test(message)
    ? 'the proxy does not answer: look at its variable, and whether it runs'
    : undefined;
}

function remedyForStatus(status: number): string {
  if (status >= 500) {
    return 'the edge has trouble: look at https://status.adobe.com, and try again later';
  }
  if (status === 403) {
    return 'it is forbidden: look at the property token, and at firewalls and proxies in between';
  }
  return 'the edge does not take the call: look at the client code and at the organization';
}

/** Compares the clock of this machine with that of the edge. */
export function checkClock({ skewMs }: Noted): Finding {
  if (skewMs === undefined) {
    return skip('no answer of the edge had a date');
  }
  if (Math.abs(skewMs) < MAX_SKEW_MS) {
    return ok('agrees with that of the edge');
  }
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return warn(
    `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the edge`,
    'time frames and cookie lifetimes are decided by this clock: run NTP',
  );
}

/** Downloads the artifact as a client does. Accounts that decide on the edge alone have none. */
export async function checkArtifact(
  config: TargetClientConfig,
  asked: AskedHost,
  now: number,
): Promise<Finding> {
  let payload: unknown;
  const noted: Noted = {};
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'on-device',
    telemetryEnabled: false,
    // A client without a location hint would ask the edge for one.
    targetLocationHint: '35',
    pollingInterval: 0,
    events: {
      artifactDownloadSucceeded: ({ artifactPayload }) => {
        payload = artifactPayload;
      },
    },
  });
  try {
    await noting(Date.now, noted, () => within(asked.timeoutMs, client.refresh()));
    return ok(`id ${client.stats().artifact?.id}, ${ageOf(payload, noted, now)}`);
  } catch (error) {
    return besideOf(toArtifactFinding(error, asked), asked);
  } finally {
    await client.close({ timeout: 1 });
  }
}

function ageOf(payload: unknown, { modified }: Noted, now: number): string {
  const { meta } = payload as { readonly meta?: { readonly generatedAt?: unknown } };
  const made = Date.parse(typeof meta?.generatedAt === 'string' ? meta.generatedAt : (modified ?? ''));
  const minutes = Math.max(0, Math.round((now - made) / 60_000));
  if (Number.isNaN(minutes)) {
    return 'its age is not known';
  }
  return minutes < 120
    ? `${counted(minutes, 'minute')} old`
    : minutes < 2880
      ? `${Math.round(minutes / 60)} hours old`
      : `${Math.round(minutes / 1440)} days old`;
}

/** Says that the artifact was asked at another host than the one that the user named. */
function besideOf(finding: Finding, { beside }: AskedHost): Finding {
  if (beside === undefined || (beside === 'other' && finding.status === 'ok')) {
    return finding;
  }
  const hint =
    'it was asked at the public CDN, because --server-domain is for delivery calls alone: give --cdn too';
  const { remedy } = finding;
  return { ...finding, remedy: beside === 'local' || remedy === undefined ? hint : `${remedy}; ${hint}` };
}

function toArtifactFinding(error: unknown, asked: AskedHost): Finding {
  const { timeoutMs } = asked;
  if (!(error instanceof TargetError)) {
    const remedy = 'the host takes connections and sends nothing: look at proxies in between';
    return fail(`no artifact within ${timeoutMs} ms`, remedy);
  }
  const { code, status, message } = error;
  if (code === 'ERR_TARGET_RESPONSE' && status === 404) {
    return warn(
      '404: there is none; only on-device decisions need it',
      'switch on-device decisioning on in Target: Administration, Implementation; the first one takes a few minutes',
    );
  }
  if (code === 'ERR_TARGET_RESPONSE') {
    return fail(
      `answered with status ${status}`,
      'the CDN has trouble, or a proxy refuses it: try again later',
    );
  }
  if (code === 'ERR_TARGET_ARTIFACT' || code === 'ERR_TARGET_INVALID_RESPONSE') {
    return fail(
      message,
      'something else answers in place of the CDN, or the format is a new one: update the SDK',
    );
  }
  const remedy = 'let the firewall pass the host of the artifact, or go through a proxy';
  return fail(message, remedyOfNetwork(message, asked) ?? remedy);
}
