import { deepStrictEqual, strictEqual } from 'node:assert';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
for (const entry of process.argv.slice(2)) {
  const names = await import(entry);
  const required = require(entry);
  const imported = Object.keys(names).sort();
  deepStrictEqual(Object.keys(required).sort(), imported, entry);
  if (imported.length === 0) {
    throw new Error(`${entry} exports nothing`);
  }
  // The package itself has its class as default export too; other entries have names alone.
  strictEqual(names.default, names.TargetClient, entry);
  strictEqual(required.default, required.TargetClient, entry);
  // Compilers read the default of a CommonJS module by this mark.
  if (names.default) {
    strictEqual(required.__esModule, true, entry);
  }
}
