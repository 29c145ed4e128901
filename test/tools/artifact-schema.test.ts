import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@cfworker/json-schema';
import { describe, expect, test } from '@jest/globals';
import { resolveOffers } from '../../src/testing/offers.js';
import { ARTIFACT_SCHEMA, OFFERS_SCHEMA } from '../../src/tools/tools.js';
import { conformanceArtifacts, hasConformance } from './conformance.js';

test.each([
  ['artifact.schema.json', ARTIFACT_SCHEMA],
  ['offers.schema.json', OFFERS_SCHEMA],
])('%s is the schema of the tools: npm run schema writes it', (file, schema) => {
  const written: unknown = JSON.parse(readFileSync(join(__dirname, '../..', file), 'utf8'));
  expect(written).toEqual(schema);
});

const isValid = (schema: object, value: unknown) => new Validator(schema, '2020-12').validate(value).valid;

(hasConformance ? test : test.skip)('the schema of artifacts accepts every shared artifact', () => {
  const refused = conformanceArtifacts().filter(([, artifact]) => !isValid(ARTIFACT_SCHEMA, artifact));
  expect(refused.map(([name]) => name)).toEqual([]);
});

const HTML = { type: 'html', content: '<p>x</p>' };

describe('the schema of offers and the edge agree', () => {
  test.each<[string, object]>([
    ['no offers', {}],
    ['a schema for the editor', { $schema: './node_modules/target-node-sdk/offers.schema.json' }],
    ['an offer', { mboxes: { hero: HTML } }],
    ['an offer with details', { mboxes: { hero: { ...HTML, eventToken: 't', responseTokens: { a: 1 } } } }],
    ['several offers', { views: { home: [HTML, { type: 'json', content: null }] } }],
    [
      'actions',
      { pageLoad: { type: 'actions', content: [{ type: 'setHtml', selector: '#a', content: 'x' }] } },
    ],
    ['URLs', { mboxes: { a: { type: 'redirect', content: '/x' }, b: { type: 'dynamic', content: '/y' } } }],
    [
      'metrics',
      { mboxes: { hero: { options: HTML, metrics: [{ selector: '#a' }], analytics: { pe: 'tnt' } } } },
    ],
    ['several options', { mboxes: { hero: { options: [HTML, HTML], metrics: [{ type: 'display' }] } } }],
  ])('on %s', (_, offers) => {
    expect(isValid(OFFERS_SCHEMA, offers)).toBe(true);
    expect(() => resolveOffers(offers)).not.toThrow();
  });

  test.each<[string, object]>([
    ['another kind of location', { mbox: { hero: HTML } }],
    ['a text', { mboxes: { hero: '<p>x</p>' } }],
    ['a type that does not exist', { mboxes: { hero: { type: 'text', content: 'x' } } }],
    ['a misspelt field', { mboxes: { hero: { ...HTML, responseToken: {} } } }],
    ['a misspelt field beside metrics', { mboxes: { hero: { options: HTML, metric: [] } } }],
    ['one wrong offer of several', { views: { home: [HTML, { content: 'x' }] } }],
  ])('against %s', (_, offers) => {
    expect(isValid(OFFERS_SCHEMA, offers)).toBe(false);
    expect(() => resolveOffers(offers)).toThrow();
  });
});
