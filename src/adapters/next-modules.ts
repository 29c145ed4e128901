/// <reference path="../../.ci/next-modules.d.ts" />

import { TargetError } from '../index.js';

/** The modules of Next.js that are used. They are loaded when they are needed, and Next.js bundles its own. */
type HeadersModule = typeof import('next/headers.js');
type ServerModule = typeof import('next/server.js');

let headersModule: Promise<HeadersModule> | undefined;
let serverModule: Promise<ServerModule> | undefined;

// Next.js has no `exports`, so Node finds these files only with their extension.

/** Loads `next/headers`. */
export function loadHeaders(): Promise<HeadersModule> {
  headersModule ??= named(import('next/headers.js'));
  return headersModule;
}

/** Loads `next/server`. */
export function loadServer(): Promise<ServerModule> {
  serverModule ??= named(import('next/server.js'));
  return serverModule;
}

async function named<Module extends object>(
  loading: Promise<Module & { default?: Module }>,
): Promise<Module> {
  try {
    const loaded = await loading;
    // Node finds the names of this CommonJS module on its default export alone.
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'target-node-sdk/next cannot load the package next', {
      cause,
    });
  }
}
