/**
 * Leaves out of declarations what no entry reaches: the exports that only the code of other rooms imports. They are half
 * of the text, and nobody can import them.
 */
import { posix } from 'node:path';
import { parse } from '@babel/parser';

/** A node of a syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A declaration at the top of a file. */
interface Statement {
  readonly node: Node;
  /** The names that it declares in its file. */
  readonly names: readonly string[];
  /** The names that it speaks of. */
  readonly used: ReadonlySet<string>;
  isKept: boolean;
}

/** A name of another file: `from` is a path, or a bare specifier. */
interface Imported {
  readonly from: string;
  readonly name: string;
}

/** A declaration file, taken apart. */
interface DeclarationFile {
  readonly text: string;
  readonly statements: readonly Statement[];
  /** The imports, by the name that they have in the file. */
  readonly imports: ReadonlyMap<string, Imported>;
  /** What the file exports, by the name outside. Names of its own have no `from`. */
  readonly exports: ReadonlyMap<string, Imported>;
  /** The files whose exports it exports too. */
  readonly stars: readonly string[];
}

/** Fields that name a member or a parameter, and not something that is declared. */
const KEYS = new Set(['key', 'parameterName', 'label']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function addUsed(node: Node, used: Set<string>): void {
  if (node.type === 'Identifier') {
    used.add(String(node.name));
  }
  for (const [field, value] of Object.entries(node)) {
    if ((KEYS.has(field) && node.computed !== true) || /comments$/i.test(field)) {
      continue;
    }
    for (const item of Array.isArray(value) ? value : [value]) {
      if (isNode(item)) {
        addUsed(item, used);
      }
    }
  }
}

function namesOf(declaration: Node): string[] {
  const declarators = declaration.declarations as readonly Node[] | undefined;
  const named = declarators?.map(({ id }) => id) ?? [declaration.id];
  return named.filter(isNode).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

const nameOf = (node: unknown) => String((node as Node).name ?? (node as Node).value);
const sourceOf = (node: Node, path: string) => {
  const specifier = String((node.source as Node).value);
  return specifier.startsWith('.')
    ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.d.ts')
    : specifier;
};

function takeApart(path: string, text: string): DeclarationFile {
  const { program } = parse(text, { sourceType: 'module', plugins: [['typescript', { dts: true }]] });
  const statements: Statement[] = [];
  const imports = new Map<string, Imported>();
  const exports = new Map<string, Imported>();
  const stars: string[] = [];
  for (const node of program.body as unknown as readonly Node[]) {
    const specifiers = (node.specifiers ?? []) as readonly Node[];
    if (node.type === 'ImportDeclaration') {
      for (const { local, imported } of specifiers) {
        imports.set(nameOf(local), {
          from: sourceOf(node, path),
          name: imported ? nameOf(imported) : 'default',
        });
      }
    } else if (node.type === 'ExportAllDeclaration') {
      stars.push(sourceOf(node, path));
    } else if (node.type === 'ExportNamedDeclaration' && !node.declaration) {
      for (const { local, exported } of specifiers) {
        exports.set(nameOf(exported), { from: node.source ? sourceOf(node, path) : '', name: nameOf(local) });
      }
    } else {
      const declared = isNode(node.declaration) ? node.declaration : node;
      const used = new Set<string>();
      addUsed(declared, used);
      const names = namesOf(declared);
      statements.push({ node, names, used, isKept: false });
      for (const name of node.type === 'ExportNamedDeclaration' ? names : []) {
        exports.set(name, { from: '', name });
      }
    }
  }
  return { text, statements, imports, exports, stars };
}

/** Keeps what the entries export, and everything that this speaks of. */
class Reach {
  readonly #files: ReadonlyMap<string, DeclarationFile>;
  /** The imports that are used, by file and by the name that they have in it. */
  readonly usedImports = new Map<string, Set<string>>();

  constructor(files: ReadonlyMap<string, DeclarationFile>) {
    this.#files = files;
  }

  keepAll(path: string): void {
    const file = this.#files.get(path);
    for (const name of file?.exports.keys() ?? []) {
      this.keep(path, name);
    }
    for (const star of file?.stars ?? []) {
      this.keepAll(star);
    }
    // An augmentation, such as `declare global`, declares no name of its own.
    for (const statement of file?.statements ?? []) {
      if (statement.names.length === 0 || statement.node.type === 'TSModuleDeclaration') {
        this.#keepStatement(path, statement);
      }
    }
  }

  keep(path: string, name: string): void {
    const file = this.#files.get(path);
    const exported = file?.exports.get(name);
    if (exported?.from) {
      this.keep(exported.from, exported.name);
    } else if (exported) {
      this.#keepLocal(path, exported.name);
    } else {
      for (const star of file?.stars ?? []) {
        this.keep(star, name);
      }
    }
  }

  #keepLocal(path: string, name: string): void {
    const file = this.#files.get(path);
    const imported = file?.imports.get(name);
    if (imported) {
      const used = this.usedImports.get(path) ?? new Set();
      this.usedImports.set(path, used.add(name));
      this.keep(imported.from, imported.name);
    }
    for (const statement of file?.statements ?? []) {
      if (statement.names.includes(name)) {
        this.#keepStatement(path, statement);
      }
    }
  }

  #keepStatement(path: string, statement: Statement): void {
    if (statement.isKept) {
      return;
    }
    statement.isKept = true;
    for (const name of statement.used) {
      this.#keepLocal(path, name);
    }
  }
}

/** Cuts a node out of a text, with the comment before it. */
function startOf(node: Node): number {
  const [first] = (node.leadingComments ?? []) as readonly Node[];
  return first ? Math.min(first.start, node.start) : node.start;
}

/** Removes from declarations, given by path, what no entry reaches. The paths end in `.d.ts`. */
export function pruneDeclarations(
  texts: ReadonlyMap<string, string>,
  entries: readonly string[],
): Map<string, string> {
  const files = new Map([...texts].map(([path, text]) => [path, takeApart(path, text)]));
  const reach = new Reach(files);
  for (const entry of entries) {
    reach.keepAll(`${entry}.d.ts`);
  }
  return new Map(
    [...files].map(([path, file]) => [path, prunedText(file, reach.usedImports.get(path) ?? new Set())]),
  );
}

function prunedText({ text, statements }: DeclarationFile, usedImports: ReadonlySet<string>): string {
  const withoutStatements = statements
    .filter(({ isKept }) => !isKept)
    .reduceRight((rest, { node }) => rest.slice(0, startOf(node)) + rest.slice(node.end), text);
  const pruned = withoutStatements.replace(
    /^import (type )?\{([^}]*)\} from ([^;]+);$/gm,
    (_, type, list, from) => {
      const kept = String(list)
        .split(',')
        .map((item) => item.trim())
        .filter((item) => usedImports.has(item.split(' ').at(-1) ?? ''));
      return kept.length === 0 ? '' : `import ${type ?? ''}{ ${kept.join(', ')} } from ${from};`;
    },
  );
  return `${pruned.replace(/\n{2,}/g, '\n').trim()}\n`;
}
