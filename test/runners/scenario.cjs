const { deepEqual, equal, rejects } = require('node:assert/strict');

/** The codes of all calls that can fail. */
const CODES = [
  ...['INVALID_CONFIG', 'INVALID_REQUEST', 'NOT_READY', 'TIMEOUT', 'ABORTED', 'NETWORK', 'RESPONSE'],
  ...['INVALID_RESPONSE', 'ARTIFACT', 'CIRCUIT_OPEN', 'CLOSED', 'INTERNAL'],
].map((name) => `ERR_TARGET_${name}`);
const request = { execute: { mboxes: [{ name: 'hero' }] } };

/**
 * The tests of the test kit that every test runner plays, each with its name. They get the entry of the package, and the
 * fake timers of the runner.
 */
exports.tests = ({ activity, audience, buildArtifact, createTestClient, html, json }, timers) => [
  [
    'three flags are read',
    async () => {
      const { client } = createTestClient({ offers: { mboxes: { flags: json({ isNew: true, limit: 3 }) } } });
      const flags = await client.getAttributes(['flags']);
      equal(flags.getBoolean('flags', 'isNew'), true);
      equal(flags.getNumber('flags', 'limit'), 3);
      equal(flags.getString('flags', 'theme', 'light'), 'light');
    },
  ],
  [
    'with fake timers nothing waits for a tick',
    async () => {
      timers.fake();
      try {
        const hero = activity('Hero').mbox('hero');
        const artifact = buildArtifact({
          activities: [hero.split({ A: [1, html('a')], B: [1, html('b')] })],
        });
        const kit = createTestClient({ artifact });
        await kit.client.ready();
        await kit.client.getOffers({ request });
        for (const decisioningMethod of ['on-device', 'server-side']) {
          for (const code of CODES) {
            kit.fail(code, { times: 1 });
            await rejects(kit.client.getOffers({ request, decisioningMethod }), { code });
          }
        }
        await kit.client.flush();
        equal(kit.notifications.length, 1);
        await kit.setArtifact(buildArtifact({ activities: [hero.only(html('new'))] }));
        const { response } = await kit.client.getOffers({ request });
        equal(response.execute.mboxes[0].options[0].content, 'new');
        await kit.client.close();
      } finally {
        timers.real();
      }
    },
  ],
  [
    'artifacts decide by audience and override',
    async () => {
      const gold = activity('Gold').mbox('hero').when(audience.param('plan').is('gold'));
      const experiences = { A: [50, html('a')], B: [50, html('b')] };
      const artifact = buildArtifact({ activities: [gold.split(experiences)], overrides: { Gold: 'B' } });
      for (const decisioningMethod of ['on-device', 'server-side', 'hybrid']) {
        const { client } = createTestClient({ artifact, config: { decisioningMethod } });
        const contentOf = async (plan) => {
          const mboxes = [{ name: 'hero', parameters: { plan } }];
          const { response } = await client.getOffers({ request: { execute: { mboxes } } });
          return response.execute.mboxes[0].options?.[0].content;
        };
        deepEqual([await contentOf('gold'), await contentOf('red')], ['b', undefined]);
      }
    },
  ],
  [
    'stable ids make equal snapshots',
    async () => {
      const play = async () => {
        const { client } = createTestClient({ ids: 'stable', offers: { mboxes: { hero: html('x') } } });
        return JSON.stringify(await client.getOffers({ request }));
      };
      equal(await play(), await play());
    },
  ],
];
