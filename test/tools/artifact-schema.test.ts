import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ARTIFACT_SCHEMA } from '../../src/tools/tools.js';

test('artifact.schema.json is the schema of the tools: npm run schema writes it', () => {
  const written: unknown = JSON.parse(readFileSync(join(__dirname, '../../artifact.schema.json'), 'utf8'));
  expect(written).toEqual(ARTIFACT_SCHEMA);
});
