/** Writes `artifact.schema.json` and `offers.schema.json`, which editors read, from the schemas of the tools. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARTIFACT_SCHEMA } from '../src/tools/artifact-schema.js';
import { OFFERS_SCHEMA } from '../src/tools/offers-schema.js';
import { root } from './manifest.js';

const schemas = { 'artifact.schema.json': ARTIFACT_SCHEMA, 'offers.schema.json': OFFERS_SCHEMA };

for (const [file, schema] of Object.entries(schemas)) {
  writeFileSync(join(root, file), `${JSON.stringify(schema, null, 2)}\n`);
}
