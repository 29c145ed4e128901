/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';
import { readEntries } from './.ci/entries.ts';

/** ESM-only packages, which Jest has to transform because it runs the tests as CommonJS. */
const esmOnly = [
  'node-fetch',
  'data-uri-to-buffer',
  'fetch-blob',
  'formdata-polyfill',
  'p-retry',
  'is-network-error',
  'leven',
  '@cucumber',
  'uuid',
  'fast-string-truncated-width',
  'arktype',
  '@ark/util',
  '@ark/schema',
  'arkregex',
];

/** Tests that start processes or a browser, wait for real timeouts, or play thousands of generated cases. */
const slow = [
  '/test/account/',
  '/test/adapters/openfeature-(?:evaluation|tck)\\.',
  '/test/examples/',
  '/test/cli/process\\.',
  '/test/client\\.faults\\.',
  '/test/client\\.inherited-names\\.',
  '/test/client\\.lifecycle\\.',
  '/test/client\\.other-realms\\.',
  '/test/client\\.visitors\\.',
  '/test/docs\\.',
  '/test/impressions/browser\\.',
  '/test/reports/notification-queue\\.model\\.',
  '/test/privacy\\.',
  '/test/shutdown\\.',
  '/test/testing/build-artifact\\.property\\.',
  '/test/tools/mbox-types\\.compiler\\.',
  '/test/testing/workbench\\.browser\\.',
  '/test/visits/hand-over\\.browser\\.',
  '/test/visits/visit\\.isolation\\.',
];

const project: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^#platform$': '<rootDir>/src/platform/node.ts',
    ...Object.fromEntries(
      readEntries(__dirname).map(({ specifier, path }) => [`^${specifier}$`, `<rootDir>/src/${path}.ts`]),
    ),
  },
  transform: {
    '\\.[cm]?[jt]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
};

const config: Config = {
  projects: [
    { ...project, displayName: 'fast', testRegex: ['\\.test\\.ts$'], testPathIgnorePatterns: slow },
    { ...project, displayName: 'slow', testRegex: slow.map((path) => `${path}.*test\\.ts$`) },
  ],
  // Jest would leave one core idle, which on two cores is half of them.
  maxWorkers: '100%',
  // A test that hangs is ended; no test is so slow, on any machine.
  testTimeout: 300_000,
};

export default config;
