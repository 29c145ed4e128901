import { TargetClient, TargetError } from 'target-node-sdk';

class OwnError extends TargetError {}

/** Errors of the copy of the package that is in this bundle. */
export async function raise() {
  const client = TargetClient.create({ client: 'demo', organizationId: 'DEMO@AdobeOrg' });
  const raised = await client.getOffers({}).catch((error) => error);
  return { TargetError, OwnError, raised, own: new OwnError('ERR_TARGET_CLOSED', 'own') };
}
