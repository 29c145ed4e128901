import type { GetOffersOptions } from '../../src/index.js';
import { type DeliveryRequest, TargetError } from '../../src/index.js';
import { ARTIFACT, connect, jsonAnswer, survive } from './subjects.js';

const LONG = 1024 * 1024;
const TIMES = 8;
const REPETITIONS = 5;
/** Eight times the input may cost eight times as much, and four times that where caches and the collector have their part. */
const MAX_FACTOR = TIMES * 4;
/** Below, nothing can be said; a cost that squares is far above. */
const NOISE_MS = 20;

const BITS = [
  'a',
  'a.',
  '/',
  '|',
  '#',
  '%',
  '%25',
  '%E0',
  ' ',
  ';',
  '(',
  'Mobile ',
  'Version/',
  '"',
  ',',
  ':',
  '1.',
  '@',
  '?&',
  '../',
  '\u{e9}',
  '\ud800',
];
const SEGMENTS = [
  'session#a#4102444800|',
  'PC#b.35_0#4102444800|',
  'MCMID|1|',
  'MCAAMLH-1|',
  '#1e999|',
  '#-1|',
];

type Kind = 'cookies' | 'context' | 'request';
type Inputs = (text: string) => readonly GetOffersOptions[];

const inContext = (context: NonNullable<DeliveryRequest['context']>): GetOffersOptions => ({
  request: { context, execute: { pageLoad: {}, mboxes: [{ name: 'agent' }, { name: 'page' }] } },
});
const request: DeliveryRequest = { execute: { mboxes: [{ name: 'hero' }] } };

const INPUTS: Readonly<Record<Kind, Inputs>> = {
  cookies: (text) => [
    { request, targetCookie: text },
    { request, visitorCookie: text },
    { request, targetLocationHint: text },
    { request, sessionId: text },
    { request, consumerId: text },
    { request, customerIds: { [text]: text } },
  ],
  context: (text) => [
    inContext({ channel: 'web', userAgent: text }),
    inContext({ channel: 'web', userAgent: `Mozilla/5.0 (${text}` }),
    inContext({ channel: 'web', address: { url: text } }),
    inContext({
      channel: 'web',
      address: { url: `https://${text}.example/`, referringUrl: `https://a.example/?${text}` },
    }),
    inContext({ channel: 'web', geo: { ipAddress: text } }),
    inContext({
      channel: 'web',
      clientHints: { platform: text, browserUAWithMajorVersion: text, browserUAWithFullVersion: text },
    }),
    inContext({ channel: 'web', browser: { host: text, language: text } }),
  ],
  request: (text) => [
    { request: { execute: { mboxes: [{ name: text }] } } },
    { request: { execute: { mboxes: [{ name: 'hero', parameters: { [text]: 'a' } }] } } },
    { request: { execute: { mboxes: [{ name: 'hero', parameters: { plan: text } }] } } },
    { request: { id: { tntId: text }, execute: { mboxes: [{ name: 'flags' }] } } },
    {
      request: {
        id: { thirdPartyId: text },
        property: { token: text },
        execute: { mboxes: [{ name: 'flags' }] },
      },
    },
    { request: { prefetch: { views: [{ name: text }] } } },
  ],
};

/** Strings of 1 MB cost at most in proportion what strings of an eighth of that cost, wherever decisions are made. */
export async function linear(kind: Kind): Promise<void> {
  const answer = () => jsonAnswer({ status: 200, client: 'demo' });
  const config = { decisioningMethod: 'on-device', artifactPayload: ARTIFACT, pollingInterval: 0 } as const;
  const clients = [connect(answer), connect(answer, config)];
  const broken: string[] = [];
  for (const bit of kind === 'cookies' ? [...BITS, ...SEGMENTS] : BITS) {
    const long = bit.repeat(Math.ceil(LONG / bit.length));
    const short = long.slice(0, LONG / TIMES);
    const [shortInputs, longInputs] = [INPUTS[kind](short), INPUTS[kind](long)];
    for (const [index, longInput] of longInputs.entries()) {
      for (const client of clients) {
        const cost = (options: GetOffersOptions, times = REPETITIONS) =>
          medianMs(() => survive(() => client.getOffers(options)), times);
        if ((await cost(longInput, 1)) < NOISE_MS) {
          continue;
        }
        const longMs = await cost(longInput);
        const shortMs = await cost(shortInputs[index] ?? longInput);
        if (longMs > MAX_FACTOR * Math.max(shortMs, NOISE_MS / TIMES)) {
          broken.push(
            `input ${index} of ${JSON.stringify(bit)}: ${shortMs.toFixed(1)} ms, then ${longMs.toFixed(1)} ms`,
          );
        }
      }
    }
  }
  await Promise.all(clients.map((client) => client.close({ timeout: 1 })));
  if (broken.length > 0) {
    throw new Error(`not linear: ${broken.slice(0, 10).join('; ')}`);
  }
}

/** Of the processor, for others may want it at the same time. */
async function medianMs(work: () => Promise<unknown>, times: number): Promise<number> {
  const costs: number[] = [];
  for (let repetition = 0; repetition < times; repetition += 1) {
    const before = process.cpuUsage();
    const came = await work();
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
    if (came instanceof TargetError && came.code === 'ERR_TARGET_TIMEOUT') {
      throw came;
    }
  }
  return costs.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}
