import { jest } from '@jest/globals';
import type { TargetEntities, TargetFlagAdapter } from '../../src/adapters/flags.js';

/** A request of a proxy or a handler, or one of the Pages Router. */
export type FlagRequest = Request | { readonly headers: Readonly<Record<string, string>> };

/** A flag, as far as the tests use it. */
export interface Flag<Value> {
  (request: FlagRequest): Promise<Value>;
  readonly origin: unknown;
}

/**
 * The part of the package `flags` that is tested. Its own declarations need the DOM and Next.js; the tests of the packed
 * package compile against them.
 */
export interface FlagsPackage {
  flag<Value>(declaration: {
    readonly key: string;
    readonly adapter: TargetFlagAdapter<Value> | (() => TargetFlagAdapter<Value>);
    readonly defaultValue?: Value;
    readonly identify?: () => TargetEntities;
  }): Flag<Value>;
  createFlagsDiscoveryEndpoint(
    getData: () => unknown,
    options: { readonly secret: string },
  ): (request: Request) => Promise<Response>;
}

/** The functions that the newest version has beside them. */
export interface NewestFlagsPackage extends FlagsPackage {
  evaluate(flags: readonly Flag<unknown>[], request: FlagRequest): Promise<unknown[]>;
}

export const newest = jest.requireActual<NewestFlagsPackage>('flags/next');
export const oldest = jest.requireActual<FlagsPackage>('flags-oldest/next');
export const { createAccessProof } = jest.requireActual<{
  createAccessProof(secret: string): Promise<string>;
}>('flags');
