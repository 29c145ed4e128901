/** Asks for an offer inside the span of a page, and prints the spans of that. */
import { createRequire } from 'node:module';
import { trace } from '@opentelemetry/api';
import * as undici from 'undici';

const [format, transport, serverDomain, targetCookie] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const load = (specifier) => (format === 'import' ? import(specifier) : require(specifier));

const { TargetClient } = await load('target-node-sdk');
const { openTelemetry } = await load('target-node-sdk/opentelemetry');
const { createUndiciFetch } = await load('target-node-sdk/undici');

const TRANSPORTS = {
  'node-fetch': () => undefined,
  'undici fetch': () => undici.fetch,
  'undici request': () => createUndiciFetch(),
  'global fetch': () => globalThis.fetch,
};
const client = TargetClient.create({
  client: 'demo',
  organizationId: 'DEMO@AdobeOrg',
  serverDomain,
  secure: false,
  telemetryEnabled: false,
  timeout: 20_000,
  retry: { retries: 1, minTimeout: 1, maxTimeout: 1 },
  fetchApi: TRANSPORTS[transport](),
  observer: openTelemetry(),
});
await trace.getTracer('page').startActiveSpan('page', async (page) => {
  await client.getOffers({ request: { execute: { mboxes: [{ name: 'greeting' }] } }, targetCookie });
  page.end();
});
await client.close();
// What observers do after a call comes in a later turn.
await new Promise((resolve) => setImmediate(resolve));
console.log(JSON.stringify(globalThis.exportedSpans()));
process.exit();
