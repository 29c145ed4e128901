import { createNextTarget } from 'target-node-sdk/next';

/** The account is named by environment variables: see README.md. */
const {
  TARGET_CLIENT,
  TARGET_ORGANIZATION_ID,
  TARGET_PROPERTY_TOKEN,
  TARGET_SERVER_DOMAIN,
  TARGET_SECURE,
  TARGET_TIMEOUT_MS,
} = process.env;
const secure = TARGET_SECURE !== 'false';

/** Target for all parts of the shop. No client is made before the first visit, so the build needs no account. */
export const target = createNextTarget({
  client: {
    client: TARGET_CLIENT ?? '',
    organizationId: TARGET_ORGANIZATION_ID ?? '',
    propertyToken: TARGET_PROPERTY_TOKEN || undefined,
    serverDomain: TARGET_SERVER_DOMAIN || undefined,
    secure,
    timeout: Number(TARGET_TIMEOUT_MS || 1000),
    logger: { error: console.error, warn: console.warn },
  },
  cookies: { httpOnly: true, secure },
  // Pages that the router or the browser loads ahead are not counted. What is shown of them is reported here.
  beacon: '/target',
  onError: (error) => console.error(`default content is shown: ${error}`),
});
