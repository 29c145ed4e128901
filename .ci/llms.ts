/** Writes `llms.txt` and `llms-full.txt`. `test/llms.test.ts` fails when one of them is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toFull, toIndex } from './llms-texts.js';
import { root } from './manifest.js';

writeFileSync(join(root, 'llms.txt'), toIndex(root));
writeFileSync(join(root, 'llms-full.txt'), toFull(root));
