import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import { Demo } from './demo.js';

/** The artifact that decisions are made by. */
export interface Rules {
  /** 1 for the first that this process got, 2 for the next. */
  readonly version: number;
  /** When Target made them, if they say so. */
  readonly generatedAt: string | undefined;
}

/** The client, and what the page tells about it. */
export interface Target {
  /** For people. */
  readonly name: string;
  readonly client: TargetClient;
  /** The rules in use; undefined while there are none. */
  readonly rules: () => Rules | undefined;
  /** Only without an account. */
  readonly demo: Demo | undefined;
}

const WAIT_MS = 3_000;
const TIMEOUT_MS = 1000;

/** Makes the one client of this process: for the account that the environment names, else for a local Target edge. */
export async function connectTarget(environment: NodeJS.ProcessEnv): Promise<Target> {
  const account = toAccount(environment);
  const demo = account ? undefined : await Demo.start();
  const config = account ?? demo?.config ?? { client: '', organizationId: '' };
  let rules: Rules | undefined;
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'on-device',
    timeout: Number(environment.TARGET_TIMEOUT_MS || TIMEOUT_MS),
    logger: { error: console.error, warn: console.warn },
    events: {
      artifactDownloadSucceeded: ({ artifactPayload }) => {
        rules = { version: (rules?.version ?? 0) + 1, generatedAt: toGeneratedAt(artifactPayload) };
      },
    },
  });
  try {
    await client.ready({ timeout: WAIT_MS });
  } catch (error) {
    // The client goes on trying, and the page has its defaults until it succeeds.
    console.error(`no rules yet: ${error}`);
  }
  return { name: demo ? 'a local Target edge' : config.client, client, rules: () => rules, demo };
}

function toGeneratedAt(artifact: unknown): string | undefined {
  if (typeof artifact !== 'object' || artifact === null || !('meta' in artifact)) {
    return undefined;
  }
  const { meta } = artifact;
  if (typeof meta !== 'object' || meta === null || !('generatedAt' in meta)) {
    return undefined;
  }
  return String(meta.generatedAt);
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
    environment: environment.TARGET_ENVIRONMENT || undefined,
    serverDomain: environment.TARGET_SERVER_DOMAIN || undefined,
    cdnBasePath: environment.TARGET_CDN || undefined,
    secure: environment.TARGET_SECURE !== 'false',
  };
}
