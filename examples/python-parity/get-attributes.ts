import { TargetClient, type TargetClientConfig } from 'target-node-sdk';

/** The JSON offer of the mbox `demo-engineering-flags`. */
export interface EngineeringFlags {
  cdnHostname: string;
  searchProviderId: number;
  hasLegacyAccess: boolean;
}

/** Reads one flag, all flags of the mbox, and one flag with a type. */
export async function getAttributes(config: TargetClientConfig) {
  const client = TargetClient.create(config);
  const attributes = await client.getAttributes<{ 'demo-engineering-flags': EngineeringFlags }>(
    ['demo-engineering-flags'],
    {
      request: {
        context: { channel: 'web' },
        execute: { mboxes: [{ name: 'a1-serverside-ab', index: 1 }] },
      },
    },
  );

  const searchProviderId = attributes.getValue('demo-engineering-flags', 'searchProviderId');
  const engineeringFlags = attributes.asObject('demo-engineering-flags');
  const hasLegacyAccess = attributes.getBoolean('demo-engineering-flags', 'hasLegacyAccess', false);
  const assetUrl = `https://${engineeringFlags.cdnHostname}/path/to/asset`;
  return { searchProviderId, engineeringFlags, hasLegacyAccess, assetUrl, answer: attributes.getResponse() };
}
