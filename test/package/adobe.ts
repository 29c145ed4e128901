import { equal, ok } from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from './report.js';
import { root, run, type Sandbox } from './sandbox.js';

/** The oldest compiler that knows `NoInfer`, which the declarations need, and the newest. */
const COMPILERS = ['5.4', 'latest'];
const FIXTURES = join(root, 'test/fixtures/adobe');

const COMPILER_OPTIONS = {
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

/** A request in a constant, whose channel has become any text. */
const WIDENED = `
import TargetClient from 'target-node-sdk';
const client = TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg' });
const request = { context: { channel: 'web' }, execute: { mboxes: [{ name: 'a1-serverside-ab' }] } };
await client.getOffers({ request });
`;

/** Compiles the programs of Adobe's documentation against the packed package, and runs those that are JavaScript. */
export async function checkDocumentedPrograms(
  report: Report,
  sandbox: Sandbox,
  config: object,
): Promise<void> {
  const cwd = join(sandbox.projects, 'adobe');
  cpSync(FIXTURES, cwd, { recursive: true });
  sandbox.write('adobe/package.json', '{ "type": "module" }');
  await checkCompilers(report, sandbox, cwd);
  for (const program of ['commonjs.cjs', 'module.mjs']) {
    await report.check(`a program of Adobe's documentation runs: ${program}`, async () => {
      const { stdout, stderr } = await run(process.execPath, [program, JSON.stringify(config)], { cwd });
      equal(stdout, 'hello\n');
      equal(stderr, '');
    });
  }
}

async function checkCompilers(report: Report, sandbox: Sandbox, cwd: string): Promise<void> {
  const writeProject = (file: string, files: readonly string[]) =>
    sandbox.write(`adobe/${file}`, JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }));
  writeProject(
    'tsconfig.json',
    readdirSync(FIXTURES).filter((name) => name.endsWith('.ts')),
  );
  sandbox.write('adobe/widened.ts', WIDENED);
  writeProject('widened.json', ['widened.ts']);
  const compilers = await sandbox.installBeside(
    'compilers',
    COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`),
  );
  for (const version of COMPILERS) {
    const compile = (project: string) =>
      run(process.execPath, [join(compilers, `typescript-${version}`, 'bin/tsc'), '-p', project], { cwd });
    await report.check(`TypeScript ${version} compiles the programs of Adobe's documentation`, () =>
      compile('tsconfig.json'),
    );
    await report.check(
      `TypeScript ${version} has one error for a request whose words became texts`,
      async () => {
        const printed: string = await compile('widened.json').then(({ stdout }) => stdout, String);
        equal(printed.match(/error TS\d+/g)?.length, 1, printed);
        ok(printed.includes("Type 'string' is not assignable to type 'ChannelType"), printed);
      },
    );
  }
}
