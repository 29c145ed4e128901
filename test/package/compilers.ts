import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peersOf, readEntries } from '../../.ci/entries.js';
import type { Report } from './report.js';
import { root, run, type Sandbox } from './sandbox.js';

/** The oldest TypeScript that the README promises, and the newest of each line since. */
const COMPILERS = ['5.4', '5', '6', '7'] as const;
type Compiler = (typeof COMPILERS)[number];

/** How a project finds the package: options of the compiler, by the name of the module resolution. */
const RESOLUTIONS = {
  node10: { module: 'commonjs', moduleResolution: 'node10' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
} as const;
type Resolution = keyof typeof RESOLUTIONS;

/** One way to compile a project. */
interface Row {
  readonly compiler: Compiler;
  readonly resolution: Resolution;
  readonly type: 'module' | 'commonjs';
}

/** Ways that there are: TypeScript 7 has no `node10` any more, and `node10` finds the package in one way only. */
function isThere({ compiler, resolution, type }: Row): boolean {
  return resolution !== 'node10' || (compiler !== '7' && type === 'commonjs');
}

/** The oldest compiler in the way most projects have, and the newest ones in every way. */
function isUsual({ compiler, resolution }: Row): boolean {
  return compiler !== '5.4' || resolution === 'node16';
}

/** Compiles every entry, without `skipLibCheck`, in a project of its own. */
export async function checkCompilers(report: Report, sandbox: Sandbox, isWhole: boolean): Promise<void> {
  let compilers = '';
  await report.check(`TypeScript ${COMPILERS.join(', ')} can be had`, async () => {
    const aliases = COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`);
    compilers = await sandbox.installBeside('compilers', aliases);
    // The declarations of an entry name the types of this peer.
    await sandbox.installPeer('@opentelemetry/api@1.9');
  });
  const rows = COMPILERS.flatMap((compiler) =>
    (['node10', 'node16', 'bundler'] as const).flatMap((resolution) =>
      (['module', 'commonjs'] as const).map((type): Row => ({ compiler, resolution, type })),
    ),
  );
  for (const row of rows.filter((each) => isThere(each) && (isWhole || isUsual(each)))) {
    const { compiler, resolution, type } = row;
    await report.check(`TypeScript ${compiler}, ${resolution}, a project of type ${type}`, () =>
      compile(sandbox, join(compilers, `typescript-${compiler}/bin/tsc`), row),
    );
  }
}

/** The packages with whose types the schemas of mboxes and the flags of Vercel are compiled. */
const TYPED = ['arktype', 'flags', 'flags-oldest', 'valibot', 'zod'];
/** An artifact from which the types of a project are written. */
const ARTIFACT = join(root, '../shared/conformance/artifacts/TEST_ARTIFACT_FEATURE_FLAG.json');
/** The types of that artifact, where it is not beside the project. */
const WRITTEN = `export interface TargetMboxes {
  "mbox-feature-flags": { paymentExperience: "alpha10" | "legacy"; showFeatureX: boolean };
}
export type TargetMboxName = "mbox-feature-flags";
`;

/** Compiles typed mboxes, written types and flags with every compiler. The declarations of others are not checked. */
export async function checkSchemas(report: Report, sandbox: Sandbox): Promise<void> {
  const cwd = sandbox.project('schemas', { 'usage-schemas.ts': 'usage-schemas.ts' });
  for (const name of TYPED) {
    const link = join(cwd, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  const { toTypes } = sandbox.require('target-node-sdk/tools') as typeof import('target-node-sdk/tools');
  const text = existsSync(ARTIFACT) ? toTypes(JSON.parse(readFileSync(ARTIFACT, 'utf8'))) : WRITTEN;
  sandbox.write('schemas/target-mboxes.d.ts', text);
  sandbox.write('schemas/package.json', '{ "type": "module" }');
  const compilerOptions = {
    module: 'node16',
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
  };
  sandbox.write('schemas/tsconfig.json', JSON.stringify({ compilerOptions, files: ['usage-schemas.ts'] }));
  for (const compiler of COMPILERS) {
    const tsc = join(sandbox.folder, `compilers/node_modules/typescript-${compiler}/bin/tsc`);
    await report.check(`TypeScript ${compiler}: schemas, written types and flags`, () =>
      run(process.execPath, [tsc, '-p', cwd], { cwd }),
    );
  }
}

async function compile(sandbox: Sandbox, tsc: string, { compiler, resolution, type }: Row): Promise<void> {
  const files = ['usage.ts', 'usage-web.ts', 'usage-node.ts'];
  const cwd = sandbox.project('compilers', Object.fromEntries(files.map((file) => [file, file])));
  sandbox.write('compilers/entries.ts', everyEntry(resolution === 'bundler' && type === 'commonjs'));
  const compilerOptions = {
    ...RESOLUTIONS[resolution],
    // TypeScript 6 takes `node10` only from projects that say that they know it ends.
    ...(compiler === '6' && resolution === 'node10' && { ignoreDeprecations: '6.0' }),
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    strict: true,
    esModuleInterop: true,
    noEmit: true,
    skipLibCheck: false,
  };
  sandbox.write('compilers/package.json', JSON.stringify({ type }));
  const settings = { compilerOptions, files: [...files, 'entries.ts'] };
  sandbox.write('compilers/tsconfig.json', JSON.stringify(settings));
  await run(process.execPath, [tsc, '-p', cwd], { cwd });
}

/** A module that imports all entries, by `require` where the compiler would not otherwise find the CommonJS build. */
function everyEntry(byRequire: boolean): string {
  // Users of these have the package that the declarations name; `test:frameworks` compiles with it.
  const entries = readEntries(root).filter(({ path }) => peersOf(path, 'types').length === 0);
  const imports = entries.map(({ specifier }, index) =>
    byRequire
      ? `import entry${index} = require('${specifier}');`
      : `import * as entry${index} from '${specifier}';`,
  );
  const names = imports.map((_, index) => `entry${index}`);
  return `${imports.join('\n')}\nexport const entries = [${names.join(', ')}];\n`;
}
