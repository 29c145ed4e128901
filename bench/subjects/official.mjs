/**
 * The official SDK. It keeps the global fetch that it finds when it is imported and takes it for artifact, geo and
 * its first ping, whatever `fetchApi` is.
 */
import { createRequire } from 'node:module';
import { Sink } from '../sink.mjs';
import { CLIENT, ORGANIZATION } from '../visitors.mjs';

const COMMON = { client: CLIENT, organizationId: ORGANIZATION, telemetryEnabled: false };
const require = createRequire(import.meta.url);

/** A client that decides from an artifact and sends its notifications to a sink. */
export async function startOnDevice(artifact) {
  const sink = new Sink();
  globalThis.fetch = sink.fetch;
  const client = await readyClient({
    ...COMMON,
    decisioningMethod: 'on-device',
    artifactPayload: artifact,
    pollingInterval: 0,
    fetchApi: sink.fetch,
  });
  return { client, sink };
}

/** A client of a Delivery API on this machine. */
export function startServerSide(host) {
  return require('@adobe/target-nodejs-sdk').create({ ...COMMON, serverDomain: host, secure: false });
}

/** Makes a client of an artifact on this machine and waits until it can decide. */
export async function becomeReady(host) {
  await readyClient({
    ...COMMON,
    serverDomain: host,
    secure: false,
    decisioningMethod: 'on-device',
    artifactLocation: `http://${host}/rules.json`,
    pollingInterval: 0,
  });
  return () => undefined;
}

function readyClient(config) {
  return new Promise((resolve, reject) => {
    const client = require('@adobe/target-nodejs-sdk').create({
      ...config,
      events: {
        clientReady: () => setImmediate(() => resolve(client)),
        artifactDownloadFailed: ({ error }) => reject(error),
      },
    });
  });
}
