import { equal } from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from './report.js';
import { root, run, type Sandbox } from './sandbox.js';

/** The oldest compiler that knows `NoInfer`, which the declarations need, and the newest. */
const COMPILERS = ['5.4', 'latest'];
const FIXTURES = join(root, 'test/fixtures/adobe');

/** Compiles the programs of Adobe's documentation against the packed package, and runs those that are JavaScript. */
export async function checkDocumentedPrograms(
  report: Report,
  sandbox: Sandbox,
  config: object,
): Promise<void> {
  const cwd = join(sandbox.projects, 'adobe');
  cpSync(FIXTURES, cwd, { recursive: true });
  const compilers = await sandbox.installBeside(
    'compilers',
    COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`),
  );
  const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.ts'));
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    // The programs import packages that the checkout has and the packed package does not need.
    paths: {
      express: [join(root, 'node_modules/@types/express')],
      cookie: [join(root, 'node_modules/cookie')],
    },
  };
  sandbox.write('adobe/package.json', '{ "type": "module" }');
  sandbox.write('adobe/tsconfig.json', JSON.stringify({ compilerOptions, files }));
  for (const version of COMPILERS) {
    const compiler = join(compilers, `typescript-${version}`, 'bin/tsc');
    await report.check(`TypeScript ${version} compiles the programs of Adobe's documentation`, () =>
      run(process.execPath, [compiler, '-p', cwd], { cwd }),
    );
  }
  for (const program of ['commonjs.cjs', 'module.mjs']) {
    await report.check(`a program of Adobe's documentation runs: ${program}`, async () => {
      const { stdout, stderr } = await run(process.execPath, [program, JSON.stringify(config)], { cwd });
      equal(stdout, 'hello\n');
      equal(stderr, '');
    });
  }
}
