import { deepStrictEqual } from 'node:assert';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
for (const entry of process.argv.slice(2)) {
  const imported = Object.keys(await import(entry)).sort();
  deepStrictEqual(Object.keys(require(entry)).sort(), imported, entry);
  if (imported.length === 0) throw new Error(`${entry} exports nothing`);
}
