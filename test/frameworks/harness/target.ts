import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import type { VisitOptions } from 'target-node-sdk/http';

/** The client of the tests' local edge. */
export const client = TargetClient.create({
  ...(JSON.parse(process.env.TARGET_CONFIG ?? '{}') as TargetClientConfig),
  telemetryEnabled: false,
});

/** The tests say by headers of a request what its visitor consents to. */
export const options: VisitOptions = {
  cookies: { secure: false },
  consent: (incoming) => ({
    granted: incoming.header('x-consent') !== 'no',
    forget: incoming.header('x-forget') === 'yes',
  }),
};
