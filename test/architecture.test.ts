import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readEntries } from '../.ci/entries.js';

const ROOT = join(__dirname, '..');
const ENTRIES = readEntries(ROOT).map(({ specifier }) => specifier);

/** The files directly in `src` that say what things are called; everything may import them. */
const WORDS = [
  ...['errors', 'json', 'inherited-names', 'call-safely', 'log-limit', 'logger', 'delivery-api'],
  ...['artifact', 'events', 'observer', 'stats'],
];

/**
 * The rooms of the house, folders and files: each imports from its own row or an earlier one. A file that is named with its
 * folder is in another row than the rest of the room.
 */
const ROWS: readonly (readonly string[])[] = [
  [
    ...['http/fetch-api', 'http/connection-use', 'http/connections', 'http/content-codings', 'http/hosts'],
    ...['http/proxied-connection', 'http/proxy-rules', 'http/tunnel'],
  ],
  ['platform'],
  WORDS,
  ['http'],
  ['identity'],
  ['config'],
  ['request'],
  ['decide', 'response', 'attributes'],
  ['impressions'],
  ['reports'],
  ['edge', 'on-device'],
  ['background'],
  ['answer-call'],
  ['client-parts'],
  ['visit-support'],
  ['client'],
  ['shutdown'],
  ['index'],
  ['visits', 'tools'],
  ['adapters', 'queues', 'stores', 'testing'],
  ['cli'],
];

/** The same inside `on-device`. */
const ON_DEVICE_ROWS: readonly (readonly string[])[] = [
  ['facts'],
  ['offers'],
  ['rules'],
  ['trace', 'purchases', 'display-report'],
  ['artifact', 'geo-pause'],
  ['answers', 'remote-dependency', 'edge-only-warnings', 'geo-lookup', 'geo-need'],
  ['evaluate'],
  ['decider'],
  ['lazy-decider'],
];

const HTTP = /^(node:)?(https?|http2|tls|dgram|dns|dns\/promises)$|^(node-fetch|undici)$/;
/** Those that open connections; `http/proxied-connection` opens none without `http/tunnel`. */
const NETWORKERS = new Set([
  ...['platform/node', 'http/connections', 'http/undici'],
  ...['http/proxied-connection', 'http/tunnel'],
]);
/** Those that the specifier `#platform` stands for. */
const PLATFORMS = ['platform/node', 'platform/web'];

interface SourceFile {
  /** Its path in `src`, without `.ts`. */
  readonly name: string;
  /** Without comments. */
  readonly text: string;
  /** The files of `src` that it imports, types included. */
  readonly files: readonly string[];
  /** The packages that it imports, Node's own included. */
  readonly packages: readonly string[];
  /** The imports that are left when types are gone. */
  readonly run: { readonly files: readonly string[]; readonly packages: readonly string[] };
}

const sources: readonly SourceFile[] = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => toSource(path.replaceAll('\\', '/').slice(0, -3)));
const byName = new Map(sources.map((source) => [source.name, source]));

function toSource(name: string): SourceFile {
  const text = readFileSync(join(ROOT, 'src', `${name}.ts`), 'utf8').replace(
    /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm,
    '',
  );
  return { name, text, ...importsIn(name, text), run: importsIn(name, withoutTypeImports(text)) };
}

function importsIn(name: string, text: string): Pick<SourceFile, 'files' | 'packages'> {
  const written = [...text.matchAll(/\b(?:from|import\s*\(|import)\s*'([^',]+)'/g)].map(
    ([, specifier = '']) => specifier,
  );
  const isOurs = (specifier: string) => specifier.startsWith('.') && specifier.endsWith('.js');
  const relative = written
    .filter(isOurs)
    .map((specifier) => join(dirname(name), specifier).replaceAll('\\', '/').slice(0, -3));
  return {
    files: written.includes('#platform') ? [...relative, ...PLATFORMS] : relative,
    packages: written.filter((specifier) => !/^(\.|#platform$)/.test(specifier)),
  };
}

/** Imports and exports of types alone are gone when the program runs. */
function withoutTypeImports(text: string): string {
  const ofTypes =
    /\b(?:import|export) (?:type (?:\{[^}]*\}|\*)|\{(?:\s*type \w+(?: as \w+)?,?)+\s*\}) from '[^']+'/g;
  return text.replace(ofTypes, '').replace(/\bimport\('[^']+'\)\./g, '');
}

/** What stands between quotes is no code. */
function withoutTexts(text: string): string {
  return text.replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** The row of a file, by its own name or by the folder that it is in; -1 for one that has no room. */
function rowOf(rows: readonly (readonly string[])[], name: string): number {
  const [room = ''] = name.split('/');
  const own = rows.findIndex((row) => row.includes(name));
  return own < 0 ? rows.findIndex((row) => row.includes(room)) : own;
}

/** `from imports to` for each import that breaks a rule. */
function importsThat(isWrong: (from: SourceFile, to: string) => boolean): string[] {
  return sources.flatMap((from) =>
    from.files.filter((to) => isWrong(from, to)).map((to) => `${from.name} imports ${to}`),
  );
}

test('there are sources, and their imports are found', () => {
  expect(byName.get('index')?.files).toContain('client');
  expect(byName.get('client')?.files).toContain('answer-call');
  expect(byName.get('adapters/http')?.files).toContain('visits/cookies');
  expect(byName.get('http/transport')?.packages).toContain('p-retry');
});

describe('import direction', () => {
  test('every file has a row', () => {
    expect(sources.filter(({ name }) => rowOf(ROWS, name) < 0).map(({ name }) => name)).toEqual([]);
    const inside = sources.flatMap(({ name }) => /^on-device\/(.*)/.exec(name)?.[1] ?? []);
    expect(inside.filter((name) => rowOf(ON_DEVICE_ROWS, name) < 0)).toEqual([]);
  });

  test('every room is there', () => {
    const isThere = (room: string) =>
      sources.some(({ name }) => name === room || name.startsWith(`${room}/`));
    expect(ROWS.flat().filter((room) => !isThere(room))).toEqual([]);
    expect(ON_DEVICE_ROWS.flat().filter((room) => !isThere(`on-device/${room}`))).toEqual([]);
  });

  test('every import is of a file that exists', () => {
    expect(importsThat((_, to) => !byName.has(to))).toEqual([]);
  });

  test('goes to the same row or an earlier one', () => {
    expect(importsThat(({ name }, to) => rowOf(ROWS, to) > rowOf(ROWS, name))).toEqual([]);
  });

  test('goes the same way inside on-device', () => {
    const room = 'on-device/';
    const rank = (name: string) => rowOf(ON_DEVICE_ROWS, name.slice(room.length));
    const isInside = (name: string) => name.startsWith(room);
    expect(importsThat(({ name }, to) => isInside(name) && isInside(to) && rank(to) > rank(name))).toEqual(
      [],
    );
  });

  test('has no cycles, types included', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) {
        cycles.push([...path.slice(path.indexOf(name)), name].join(' → '));
      }
      if (done.has(name) || path.includes(name)) {
        return;
      }
      for (const file of byName.get(name)?.files ?? []) {
        walk(file, [...path, name]);
      }
      done.add(name);
    };
    for (const { name } of sources) {
      walk(name, []);
    }
    expect(cycles).toEqual([]);
  });

  test('only the client and its parts know on-device decisioning', () => {
    const isInside = (name: string) => name.startsWith('on-device/');
    const mayKnow = (name: string) =>
      isInside(name) || name.startsWith('tools/') || name === 'client' || name === 'client-parts';
    expect(importsThat(({ name }, to) => isInside(to) && !mayKnow(name))).toEqual([]);
  });

  test('no decider knows of the other', () => {
    const isBetween = (from: string, to: string) =>
      ['edge/', 'on-device/'].every((room) => [from, to].some((name) => name.startsWith(room)));
    expect(importsThat(({ name }, to) => isBetween(name, to))).toEqual([]);
  });

  test('adapters import the client and visits as any user would', () => {
    const isWrong = (to: string) =>
      !/^(adapters|visits|tools)\/|^(errors|index|json|inherited-names)$/.test(to);
    expect(importsThat(({ name }, to) => name.startsWith('adapters/') && isWrong(to))).toEqual([]);
  });

  test('visits import words, the codecs of identity, impressions, and else types alone', () => {
    const isCode = (to: string) => WORDS.includes(to) || /^(visits|identity|impressions)\//.test(to);
    const wrong = sources.flatMap(({ name, run }) =>
      name.startsWith('visits/')
        ? run.files.filter((to) => !isCode(to)).map((to) => `${name} runs ${to}`)
        : [],
    );
    expect(wrong).toEqual([]);
  });

  test('queues import the types of the client as any user would, and run nothing but its errors', () => {
    const isOfQueues = (name: string) => name.startsWith('queues/');
    const isWrong = (to: string) => !/^(index|errors)$/.test(to) && !isOfQueues(to);
    expect(importsThat(({ name }, to) => isOfQueues(name) && isWrong(to))).toEqual([]);
    const run = sources.filter(({ name }) => isOfQueues(name)).flatMap(({ run }) => run.files);
    expect(run.filter((to) => to !== 'errors')).toEqual([]);
  });

  test('tools ask the engine, complete calls as a client does, and else look at data', () => {
    const engine = ['evaluate', 'trace', 'facts/', 'rules/'].map((name) => `on-device/${name}`);
    const completing = ['config/', 'identity/ids', 'identity/visitor-ids', 'request/'];
    const isKnown = (to: string) => [...engine, ...completing, 'tools/'].some((room) => to.startsWith(room));
    const isWrong = (to: string) => !WORDS.includes(to) && !isKnown(to);
    expect(importsThat(({ name }, to) => name.startsWith('tools/') && isWrong(to))).toEqual([]);
  });

  test('the command line imports the entries as any program does, and nothing imports it', () => {
    const isOfCli = (name: string) => name.startsWith('cli/');
    expect(importsThat(({ name }, to) => isOfCli(name) !== isOfCli(to))).toEqual([]);
    const known = new Set(['fast-string-truncated-width', ...ENTRIES]);
    const others = sources
      .filter(({ name }) => isOfCli(name))
      .flatMap(({ packages }) =>
        packages.filter((name) => !isBuiltin(name) && name !== 'leven' && !known.has(name)),
      );
    expect(others).toEqual([]);
    const users = sources.filter(
      ({ name, packages }) => !isOfCli(name) && packages.some((one) => known.has(one)),
    );
    expect(users.map(({ name }) => name)).toEqual([]);
  });

  test('the local edge is not part of the client', () => {
    expect(
      importsThat(({ name }, to) => to.startsWith('testing/') && !/^(testing|cli)\//.test(name)),
    ).toEqual([]);
  });
});

describe('the network', () => {
  const clientSide = sources.filter(({ name }) => !/^(testing|cli)\//.test(name));

  test('is touched by the transport alone', () => {
    const touching = clientSide.filter(({ packages }) => packages.some((name) => HTTP.test(name)));
    expect(touching.map(({ name }) => name).filter((name) => !NETWORKERS.has(name))).toEqual([]);
    const mayKnow = (name: string) => name === 'http/transport' || name.startsWith('platform/');
    expect(importsThat(({ name }, to) => to === 'http/connections' && !mayKnow(name))).toEqual([]);
  });

  test('is not touched by the global fetch either', () => {
    const callers = clientSide.filter(
      ({ name, text }) =>
        name !== 'platform/web' && /(?<![\w.#])fetch\(|globalThis\.fetch\b/.test(withoutTexts(text)),
    );
    expect(callers.map(({ name }) => name)).toEqual([]);
  });

  test('is not what node:net is imported for', () => {
    const importing = clientSide.filter(
      ({ name, packages }) => packages.includes('node:net') && !NETWORKERS.has(name),
    );
    const onlyAddresses = /import \{ (BlockList, )?isIP \} from 'node:net'/;
    for (const { text } of importing) {
      expect(text).toMatch(onlyAddresses);
    }
  });
});

describe('Node', () => {
  const reached = new Set<string>();
  const reach = (name: string): void => {
    if (reached.has(name)) {
      return;
    }
    reached.add(name);
    for (const file of byName.get(name)?.files ?? []) {
      reach(file);
    }
  };
  reach('index');
  /** Reached by dynamic import. */
  reach('on-device/decider');
  const core = sources.filter(({ name }) => reached.has(name));
  const ofNode = new Set([
    ...['platform/node', 'http/connections', 'http/content-codings'],
    ...['http/proxied-connection', 'http/proxy-rules', 'http/tunnel'],
  ]);
  const withoutNode = core.filter(({ name }) => !ofNode.has(name));

  test('is behind one door for all that index reaches', () => {
    expect(core.length).toBeGreaterThan(70);
    expect([...ofNode].filter((name) => !reached.has(name))).toEqual([]);
    const importing = withoutNode.filter(({ packages }) => packages.some((name) => isBuiltin(name)));
    expect(importing.map(({ name }) => name)).toEqual([]);
  });

  test('is not used by its globals and their types either', () => {
    const globals =
      /\bNodeJS\.|(?<![\w.])(Buffer|process|global|setImmediate|clearImmediate|require|__dirname|__filename)\b(?=[.([,;)])|\.(un)?ref\(/;
    const uses = withoutNode.flatMap(({ name, text }) => {
      const [found] = globals.exec(withoutTexts(text)) ?? [];
      return found === undefined ? [] : [`${name} uses ${found}`];
    });
    expect(uses).toEqual([]);
  });

  test('has a stand-in of the same names on the web', () => {
    const namesOf = (name: string) =>
      [...(byName.get(name)?.text ?? '').matchAll(/export const (\w+)/g)].map(([, exported]) => exported);
    expect(namesOf('platform/web').toSorted()).toEqual(namesOf('platform/node').toSorted());
  });
});

describe('the entry for HTTP', () => {
  const reached = new Set<string>();
  const reach = (name: string): void => {
    if (!reached.has(name)) {
      reached.add(name);
      byName.get(name)?.run.files.forEach(reach);
    }
  };
  reach('adapters/http');

  test('runs nothing of Node, nothing of the platform and not the client', () => {
    expect(reached).toContain('visits/cookies');
    const refused =
      /^(platform|http|config|request|edge|on-device|reports|testing)\/|^(client|index|decide|shutdown)$/;
    expect([...reached].filter((name) => refused.test(name))).toEqual([]);
    const packages = [...reached].flatMap((name) => byName.get(name)?.run.packages ?? []);
    expect(packages.filter((name) => isBuiltin(name) || HTTP.test(name))).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const packageOf = (specifier: string) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  // The command line bundles what it needs, apart from the library.
  const ownersOf = (dependency: string) =>
    sources
      .filter(({ name }) => !name.startsWith('cli/'))
      .filter(({ packages }) => packages.map(packageOf).includes(dependency))
      .map(({ name }) => name);

  test.each(declared)('%s has one owner', (dependency) => {
    expect(ownersOf(dependency)).toHaveLength(1);
  });

  test('what the client imports is declared', () => {
    const imported = sources
      .filter(({ name }) => !/^(testing|tools|cli)\//.test(name))
      .flatMap(({ packages }) => packages.map(packageOf))
      .filter((name) => !name.startsWith('node:'));
    for (const name of imported) {
      expect(declared).toContain(name);
    }
  });
});

describe('files', () => {
  test('are named after what they are about', () => {
    const vague = /(^|\/)(utils?|helpers?|common|types?|constants?|messages?|misc|shared|lib)$/;
    expect(sources.map(({ name }) => name).filter((name) => vague.test(name))).toEqual([]);
    for (const { name } of sources) {
      expect(name).toMatch(/^([a-z\d]+(-[a-z\d]+)*\/)*[a-z\d]+(-[a-z\d]+)*$/);
    }
  });

  test('lie in rooms: few are directly in src', () => {
    expect(sources.filter(({ name }) => !name.includes('/')).length).toBeLessThanOrEqual(21);
  });

  test('are short enough to be read at once, but for the types of the wire', () => {
    const linesOf = (name: string) =>
      readFileSync(join(ROOT, 'src', `${name}.ts`), 'utf8').split('\n').length;
    const long = sources.filter(({ name }) => name !== 'delivery-api' && linesOf(name) > 350);
    expect(long.map(({ name }) => name)).toEqual([]);
  });

  test('have no index below the top', () => {
    expect(sources.map(({ name }) => name).filter((name) => name.endsWith('/index'))).toEqual([]);
  });

  test('index holds named exports and nothing else', () => {
    const text = byName.get('index')?.text ?? '';
    expect(text.replace(/export (type )?(\{[^}]*\}|\*) from '[^']+';/g, '').trim()).toBe('');
    expect(text).not.toMatch(/export \* from/);
  });
});
