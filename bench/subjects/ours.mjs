/** The package under test, as it is built, imported as a user imports it. */
import { TargetClient } from 'target-node-sdk';
import { Sink } from '../sink.mjs';
import { CLIENT, ORGANIZATION } from '../visitors.mjs';

const COMMON = { client: CLIENT, organizationId: ORGANIZATION, telemetryEnabled: false };

/** A client that decides from an artifact and sends its notifications to a sink. */
export async function startOnDevice(artifact, more = {}) {
  const sink = new Sink();
  const client = TargetClient.create({
    ...COMMON,
    decisioningMethod: 'on-device',
    artifactPayload: artifact,
    pollingInterval: 0,
    fetchApi: sink.fetch,
    ...more,
  });
  await client.ready();
  return { client, sink };
}

/** A client that decides from an artifact and sends its notifications to a host, or where an agent takes them. */
export async function startReporting(host, { artifact, agent, ...more }) {
  const client = TargetClient.create({
    ...COMMON,
    decisioningMethod: 'on-device',
    artifactPayload: artifact,
    pollingInterval: 0,
    secure: false,
    targetLocationHint: '35',
    ...(agent ? { agent } : { serverDomain: host }),
    ...more,
  });
  await client.ready();
  return client;
}

/** A client of a Delivery API on this machine. */
export function startServerSide(host, more = {}) {
  return TargetClient.create({ ...COMMON, serverDomain: host, secure: false, ...more });
}

/** What a server-side client posts for a request. */
export async function postedBy(request) {
  let posted;
  const fetchApi = async (_url, { headers, body }) => {
    posted = { headers, body };
    return { status: 204, headers: new Headers(), text: async () => '' };
  };
  await TargetClient.create({ ...COMMON, fetchApi }).getOffers({ request });
  return posted;
}

/** Makes a client of an artifact on this machine, waits until it can decide, and closes it. */
export async function becomeReady(host) {
  const client = TargetClient.create({
    ...COMMON,
    serverDomain: host,
    secure: false,
    decisioningMethod: 'on-device',
    artifactLocation: `http://${host}/rules.json`,
    pollingInterval: 0,
  });
  await client.ready();
  return () => client.close();
}
