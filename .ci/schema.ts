/** Writes `artifact.schema.json`, which editors read, from the schema of the tools. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARTIFACT_SCHEMA } from '../src/tools/artifact-schema.js';
import { root } from './manifest.js';

writeFileSync(join(root, 'artifact.schema.json'), `${JSON.stringify(ARTIFACT_SCHEMA, null, 2)}\n`);
