import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import type { VisitOptions } from 'target-node-sdk/http';
import { DemoEdge } from './demo.js';

/** The client, and the options of its visits. */
export interface Target {
  /** For people. */
  readonly name: string;
  readonly client: TargetClient;
  readonly options: VisitOptions;
  /** The local edge, where there is no account. */
  readonly demo: DemoEdge | undefined;
}

/** A page that waits any longer is worse than its default content. */
const TIMEOUT_MS = 1000;

/** Makes the one client of this process: for the account that the environment names, else for a local Target edge. */
export async function connectTarget(environment: NodeJS.ProcessEnv): Promise<Target> {
  const { name, config, demo } = await chooseEdge(environment);
  const client = TargetClient.create({
    timeout: Number(environment.TARGET_TIMEOUT_MS || TIMEOUT_MS),
    logger: { error: console.error, warn: console.warn },
    ...config,
  });
  const options: VisitOptions = {
    // Scripts have no use for the cookies, unless at.js runs in the page: then leave `httpOnly` out. The demo has no https.
    cookies: { httpOnly: true, secure: demo === undefined },
    clientHints: true,
    onError: (error) => console.error(`default content is shown: ${error}`),
  };
  return { name, client, options, demo };
}

/** Adobe's edge for an account, else a local one. */
async function chooseEdge(environment: NodeJS.ProcessEnv) {
  const account = toAccount(environment);
  if (account) {
    return { name: account.client, config: account, demo: undefined };
  }
  const demo = await DemoEdge.start();
  return { name: 'a local Target edge', config: demo.config, demo };
}

function toAccount(environment: NodeJS.ProcessEnv): TargetClientConfig | undefined {
  const { TARGET_CLIENT: client, TARGET_ORGANIZATION_ID: organizationId } = environment;
  if (!client && !organizationId) {
    return undefined;
  }
  if (!client || !organizationId) {
    throw new Error('set both TARGET_CLIENT and TARGET_ORGANIZATION_ID, or none');
  }
  return {
    client,
    organizationId,
    propertyToken: environment.TARGET_PROPERTY_TOKEN || undefined,
    serverDomain: environment.TARGET_SERVER_DOMAIN || undefined,
    secure: environment.TARGET_SECURE !== 'false',
  };
}
