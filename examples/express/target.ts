import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import { startTargetEdge } from 'target-node-sdk/testing';
import { demoOffers } from './demo-offers.js';

/** The client, and what reading its cookies needs. */
export interface Target {
  /** For people. */
  readonly name: string;
  readonly client: TargetClient;
  readonly organizationId: string;
}

/** A page that waits any longer is worse than its default content. */
const TIMEOUT_MS = 1000;

/** Makes the one client of this process: for the account that the environment names, else for a local Target edge. */
export async function connectTarget(environment: NodeJS.ProcessEnv): Promise<Target> {
  const account = toAccount(environment);
  const config = account ?? (await startTargetEdge({ offers: demoOffers })).config;
  const client = TargetClient.create({
    timeout: Number(environment.TARGET_TIMEOUT_MS || TIMEOUT_MS),
    logger: { error: console.error, warn: console.warn },
    ...config,
  });
  return { name: account?.client ?? 'a local Target edge', client, organizationId: config.organizationId };
}

function toAccount(environment: NodeJS.ProcessEnv): TargetClientConfig | undefined {
  const { TARGET_CLIENT: client, TARGET_ORGANIZATION_ID: organizationId } = environment;
  if (!client && !organizationId) return undefined;
  if (!client || !organizationId)
    throw new Error('set both TARGET_CLIENT and TARGET_ORGANIZATION_ID, or none');
  return {
    client,
    organizationId,
    propertyToken: environment.TARGET_PROPERTY_TOKEN || undefined,
    serverDomain: environment.TARGET_SERVER_DOMAIN || undefined,
    secure: environment.TARGET_SECURE !== 'false',
  };
}
