import { TargetClient, TargetError } from 'target-node-sdk';

const CONFIG = { client: 'demo', organizationId: 'DEMO@AdobeOrg', telemetryEnabled: false };
const request = { context: { channel: 'web' }, execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
const options = [{ type: 'html', content: 'hello', eventToken: 'token' }];
const artifact = {
  version: '1.0.0',
  rules: {
    mboxes: {
      greeting: [
        {
          ruleKey: '1',
          activityId: 1,
          meta: {},
          condition: { '<': [0, { var: 'allocation' }, 100] },
          consequence: { name: 'greeting', options },
        },
      ],
    },
  },
};

const calls = [];
/** What the next calls are answered with. */
let play = answer;

function answer(url, { body }) {
  if (url.endsWith('/rules.json')) {
    return Response.json(artifact);
  }
  const { requestId, execute, notifications } = JSON.parse(body);
  const answered = execute && { execute: { mboxes: [{ name: 'greeting', index: 1, options }] } };
  return Response.json({ status: 200, requestId, client: 'demo', notifications, ...answered });
}

globalThis.fetch = async (url, init) => {
  calls.push(url);
  if (!(init.signal instanceof AbortSignal)) {
    throw new TypeError('not a signal');
  }
  return play(url, init);
};

function hang(_url, { signal }) {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

function check(isRight, what) {
  if (!isRight) {
    throw new Error(what);
  }
}

async function failsWith(code, act) {
  const error = await Promise.resolve()
    .then(act)
    .catch((thrown) => thrown);
  check(error instanceof TargetError && error.code === code, `${code}: ${error}`);
}

function contentOf({ response }) {
  return response.execute.mboxes[0].options[0].content;
}

async function decideOnTheEdge() {
  const client = TargetClient.create(CONFIG);
  check(contentOf(await client.getOffers({ request })) === 'hello', 'no offer of the edge');
  play = () => new Response('', { status: 400 });
  await failsWith('ERR_TARGET_RESPONSE', () => client.getOffers({ request }));
  play = hang;
  await failsWith('ERR_TARGET_TIMEOUT', () => client.getOffers({ request, timeout: 20 }));
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  await failsWith('ERR_TARGET_ABORTED', () => client.getOffers({ request, signal: controller.signal }));
  play = answer;
  await client.close();
  await failsWith('ERR_TARGET_CLOSED', () => client.getOffers({ request }));
}

async function decideHere() {
  calls.length = 0;
  const client = TargetClient.create({ ...CONFIG, decisioningMethod: 'on-device', pollingInterval: 0 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  check(calls.length === 0, 'something was fetched before the first call');
  const { status } = await client.ready();
  check(status === 'live', `status ${status}`);
  check(contentOf(await client.getOffers({ request })) === 'hello', 'no offer of the artifact');
  const { delivered } = await client.close();
  check(delivered === 1, `${delivered} delivered`);
}

async function refuseNode() {
  await failsWith('ERR_TARGET_INVALID_CONFIG', () => TargetClient.create({ ...CONFIG, agent: () => ({}) }));
  const artifactLocation = 'file:///rules.json';
  await failsWith('ERR_TARGET_INVALID_CONFIG', () => TargetClient.create({ ...CONFIG, artifactLocation }));
}

async function main() {
  await decideOnTheEdge();
  await decideHere();
  await refuseNode();
  return 'hello';
}

globalThis.outcome = main();
