import { equal, match, notEqual, ok } from 'node:assert/strict';
import type { TargetEdge } from 'target-node-sdk/testing';
import type { Report } from '../../package/report.js';
import type { Project } from '../project.js';
import { accountOf, startServer } from '../server.js';
import { Visitor } from '../visitor.js';

/** What is tried with builds of its own. */
interface FrozenOptions {
  readonly name: string;
  readonly project: Project;
  readonly edge: TargetEdge;
  readonly report: Report;
}

/** A page that must not be built, and the words that its error must have. */
interface WrongPage {
  readonly text: string;
  readonly remedy: RegExp;
}

const ASK = "(await target.visit()).offer('q1', 'default')";
const IMPORT = "import { target } from '../../../target';";
const LAYOUT = `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`;

/** Pages that ask where there is no request, without `cacheComponents`. */
const WRONG: Readonly<Record<string, WrongPage>> = {
  'force-static': {
    text: `${IMPORT}
export const dynamic = 'force-static';
export default async function Page() { return <p>{await ${ASK}}</p>; }
`,
    remedy: /Await visit\(\) in a dynamic server component.*force-static/,
  },
  'by-client-alone': {
    text: `${IMPORT}
const request = { execute: { mboxes: [{ name: 'q1' }] } };
export default async function Page() {
  return <p>{(await target.client().getOffers({ request })).response.execute.mboxes[0].options[0].content}</p>;
}
`,
    remedy: /Await visit\(\) in the page/,
  },
  'in-unstable-cache': {
    text: `import { unstable_cache } from 'next/cache';
${IMPORT}
const ask = unstable_cache(async () => ${ASK});
export default async function Page() { return <p>{await ask()}</p>; }
`,
    remedy: /outside of, 'use cache', unstable_cache/,
  },
};

/** A page that asks while Next.js collects the paths of pages, before it makes any. */
const WRONG_PATHS: Readonly<Record<string, WrongPage>> = {
  'static-params': {
    text: `${IMPORT}
export async function generateStaticParams() { return [{ slug: await ${ASK} }]; }
export default async function Page({ params }) { return <p>{(await params).slug}</p>; }
`,
    remedy: /Await visit\(\) in a dynamic server component/,
  },
};

/** Pages that ask where there is no request, with `cacheComponents`. */
const WRONG_CACHED: Readonly<Record<string, WrongPage>> = {
  'in-use-cache': {
    text: `${IMPORT}
async function ask() { 'use cache'; return ${ASK}; }
export default async function Page() { return <p>{await ask()}</p>; }
`,
    remedy: /outside of, 'use cache'|outside (?:of )?(?:the|a) cached function/,
  },
  'without-suspense': {
    text: `${IMPORT}
export default async function Page() { return <p>{await ${ASK}}</p>; }
`,
    remedy: /Suspense/,
  },
};

/** The settings by which a build goes on after the error of one page. */
const ALL_ERRORS = {
  typescript: { ignoreBuildErrors: true },
  experimental: { prerenderEarlyExit: false },
};

const RIGHT_CACHED = `import { Suspense } from 'react';
${IMPORT}
async function Part() { return <li>{await ${ASK}}</li>; }
export default function Page() { return <Suspense fallback={<p>waiting</p>}><Part /></Suspense>; }
`;

/** Builds wrong pages beside a right one, and proves that the error of each names the remedy. */
async function buildWrong(
  { name, project, edge, report }: FrozenOptions,
  pages: typeof WRONG,
): Promise<void> {
  const pathOf = (page: string) => `app/(wrong)/${page}${page === 'static-params' ? '/[slug]' : ''}`;
  for (const [page, { text }] of Object.entries(pages)) {
    project.write(
      `${pathOf(page)}/page.jsx`,
      page === 'static-params' ? text.replace('../', '../../') : text,
    );
  }
  const built = await project.build(accountOf(edge)).catch((error: Error) => error);
  for (const [page, { remedy }] of Object.entries(pages)) {
    await report.check(`${name}: no build with a page that asks ${page.replaceAll('-', ' ')}`, () => {
      ok(typeof built !== 'string', `the build went well: ${built}`);
      // The build tells the errors of all pages, one after the other.
      const told = built.message.split(/(?=^Error occurred prerendering|^Failed to collect)/m);
      const own = told.filter((text) => text.includes(`/${page}`)).join('\n');
      match(own || built.message, remedy);
      ok(own, `the error names no ${page}: ${built.message}`);
    });
    project.remove(pathOf(page));
  }
}

/** Pages that would freeze the offer of one visitor are not built. */
export async function checkFrozen(options: FrozenOptions): Promise<void> {
  const { project } = options;
  for (const part of ['app/(shop)', 'app/(probe)', 'app/(plain)', 'guide', 'pages']) {
    project.remove(part);
  }
  project.write('app/(wrong)/layout.jsx', LAYOUT);
  project.write('app/(wrong)/right/page.jsx', '\nexport default function Page() { return <p>right</p>; }\n');
  project.write('next.config.ts', `export default ${JSON.stringify(ALL_ERRORS)};\n`);
  await buildWrong(options, WRONG);
  await buildWrong(options, WRONG_PATHS);
}

/** With `cacheComponents`, a page that asks inside `<Suspense>` is decided for each visitor, and others are not built. */
export async function checkCacheComponents(options: FrozenOptions): Promise<void> {
  const { name, project, edge, report } = options;
  const config = { ...ALL_ERRORS, cacheComponents: true };
  project.write('next.config.ts', `export default ${JSON.stringify(config)};\n`);
  project.write('app/(wrong)/right/page.jsx', RIGHT_CACHED);
  await buildWrong(options, WRONG_CACHED);
  await report.check(
    `${name}: with cacheComponents, a page in <Suspense> is decided for each visitor`,
    async () => {
      await project.build(accountOf(edge));
      const server = await startServer({ project, edge });
      const open = async (visitor: Visitor) =>
        /<li>([^<]+)<\/li>/.exec((await visitor.open('/right')).text)?.[1];
      const [one, two] = [new Visitor(server.url), new Visitor(server.url)];
      const first = await open(one);
      ok(first);
      equal(first.split(' ')[0], one.ids.session);
      notEqual(await open(two), first);
      equal((await open(one))?.split(' ')[0], one.ids.session);
      await server.stop();
    },
  );
}
