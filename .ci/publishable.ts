/** Refuses to publish a package whose page on the registry could lead nowhere. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './manifest.js';

const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const missing = ['repository', 'homepage', 'bugs'].filter((field) => manifest[field] === undefined);
if (missing.length > 0) {
  console.error(
    `package.json has no ${missing.join(', ')}: set them to where you publish from (CONTRIBUTING.md)`,
  );
  process.exitCode = 1;
}
