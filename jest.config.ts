/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

/** ESM-only packages, which Jest has to transform because it runs the tests as CommonJS. */
const esmOnly = [
  'node-fetch',
  'data-uri-to-buffer',
  'fetch-blob',
  'formdata-polyfill',
  'p-retry',
  'is-network-error',
  'leven',
  'uuid',
];

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^target-node-sdk$': '<rootDir>/src/index.ts',
    '^target-node-sdk/http$': '<rootDir>/src/adapters/http.ts',
    '^target-node-sdk/undici$': '<rootDir>/src/adapters/undici.ts',
    '^target-node-sdk/testing$': '<rootDir>/src/testing/edge.ts',
  },
  transform: {
    '\\.[cm]?[jt]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  testTimeout: 20_000,
};

export default config;
