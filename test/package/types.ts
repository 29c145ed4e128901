import { join } from 'node:path';
import type { Report } from './report.js';
import { root, runTool, type Sandbox } from './sandbox.js';

/** What a project's compiler knows besides the package, and the code that it has to accept. */
interface Surroundings {
  readonly name: string;
  readonly files: readonly string[];
  readonly options: object;
}

const typeRoots = [join(root, 'node_modules/@types')];
const SURROUNDINGS: readonly Surroundings[] = [
  { name: 'no types but the language', files: ['usage.ts'], options: { lib: ['es2022'], types: [] } },
  {
    name: '@types/node',
    files: ['usage.ts', 'usage-web.ts', 'usage-node.ts'],
    options: { lib: ['es2022'], types: ['node'], typeRoots },
  },
  {
    name: '@types/node and the DOM',
    files: ['usage.ts', 'usage-web.ts', 'usage-node.ts'],
    options: { lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'], typeRoots },
  },
  {
    name: 'the DOM and every strict option',
    files: ['usage.ts', 'usage-web.ts'],
    options: {
      lib: ['es2024', 'dom'],
      types: [],
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      verbatimModuleSyntax: false,
      isolatedModules: true,
    },
  },
];

/** Type-checks one project in the sandbox, without skipLibCheck. */
async function typeCheck(sandbox: Sandbox, type: string, surroundings: Surroundings): Promise<void> {
  const { files, options } = surroundings;
  const cwd = sandbox.project('types', Object.fromEntries(files.map((file) => [file, file])));
  const strictly = { target: 'es2022', strict: true, noEmit: true, skipLibCheck: false };
  const compilerOptions = { ...strictly, module: 'nodenext', ...options };
  sandbox.write('types/package.json', JSON.stringify({ type }));
  sandbox.write('types/tsconfig.json', JSON.stringify({ compilerOptions, files }));
  await runTool('typescript', ['-p', cwd], { cwd });
}

/** The declarations in projects of both module types, and with as little around them as can be. */
export async function checkTypes(report: Report, sandbox: Sandbox): Promise<void> {
  for (const type of ['module', 'commonjs']) {
    for (const surroundings of SURROUNDINGS) {
      await report.check(`types in a project of type ${type} with ${surroundings.name}`, () =>
        typeCheck(sandbox, type, surroundings),
      );
    }
  }
  const options = { lib: ['es2022'], types: [], module: 'preserve' };
  await report.check('types in a project that a bundler builds', () =>
    typeCheck(sandbox, 'module', { name: 'a bundler', files: ['usage.ts'], options }),
  );
}
