import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputChunk } from 'rolldown';
import { isInstalled, packageFolder, readManifest, root } from './manifest.js';
import { write } from './write.js';

/** A package's licence text: its own file, else that part of its readme, else what its manifest says. */
function licenceOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file !== undefined) {
    return readFileSync(join(folder, file), 'utf8').trim();
  }
  const readme = /^License\n-+\n([\s\S]*?Permission is hereby[\s\S]*?SOFTWARE\.)$/m.exec(
    readFileSync(join(folder, 'README.md'), 'utf8'),
  );
  if (readme?.[1] !== undefined) {
    return readme[1].trim();
  }
  const { license, author, homepage } = readManifest(folder);
  if (license !== 'MIT' || typeof author !== 'string') {
    throw new Error(`${folder} has no licence to copy`);
  }
  const text = readFileSync(join(root, 'node_modules/uuid/LICENSE.md'), 'utf8');
  return text.replace(/^Copyright.*$/m, `Copyright (c) ${author}\n${homepage ?? ''}`).trim();
}

/** Writes the licences of everything that was bundled. */
export function writeLicences(chunks: readonly OutputChunk[]): void {
  const modules = chunks.flatMap((chunk) => chunk.moduleIds).filter(isInstalled);
  const folders = [...new Set(modules.map(packageFolder))].sort();
  const parts = folders.map((folder) => {
    const { name, version } = readManifest(folder);
    return `${name} ${version}\n\n${licenceOf(folder)}\n`;
  });
  write(
    'THIRD-PARTY-LICENSES.txt',
    `Parts of these packages are bundled in this one.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`,
  );
}
