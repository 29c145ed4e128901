import { activity, buildArtifact, json } from 'target-node-sdk/testing';

/** Rules of one activity with two halves. */
export const springArtifact = () =>
  buildArtifact({
    activities: [
      activity('Spring')
        .mbox('hero')
        .split({ A: [50, json({ n: 1 })], B: [50, json({ n: 2 })] }),
    ],
    client: 'acme',
    ids: 'stable',
  });
