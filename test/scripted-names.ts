import dns from 'node:dns';
import http from 'node:http';
import { jest } from '@jest/globals';
import { createUndiciFetch } from '../src/adapters/undici.js';
import type { TargetClientConfig } from '../src/index.js';

/** What a resolver says to a name: nothing stands for a name that it never answers to. */
export type Verdict = 'there' | 'ENOTFOUND' | 'EAI_AGAIN' | undefined;

/** The names that were looked up, and the most of them that were under way at a time. */
export interface Names {
  readonly asked: string[];
  /** Of those that are not there. */
  most: number;
  /** Answers the look-ups that are under way and wait for it. */
  release(): void;
}

type Done = (error: Error | null, address?: unknown, family?: number) => void;

/**
 * Has every name of this process resolved by a script. Look-ups of names that are not there wait to be released. Names
 * that are there have the address of the loopback.
 */
export function scriptNames(verdictOn: (name: string) => Verdict): Names {
  const waiting = new Set<() => void>();
  const names: Names = {
    asked: [],
    most: 0,
    release: () => {
      for (const answer of waiting) answer();
      waiting.clear();
    },
  };
  const lookup = (name: string, given: { all?: boolean } | Done, last?: Done) => {
    const [options, done] = typeof given === 'function' ? [{}, given] : [given, last as Done];
    names.asked.push(name);
    const verdict = verdictOn(name);
    if (verdict === 'there') {
      const found = options.all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4];
      process.nextTick(done, null, ...found);
      return;
    }
    waiting.add(() => {
      if (verdict) done(Object.assign(new Error(`getaddrinfo ${verdict} ${name}`), { code: verdict }));
    });
    names.most = Math.max(names.most, waiting.size);
  };
  jest.spyOn(dns, 'lookup').mockImplementation(lookup as typeof dns.lookup);
  return names;
}

/** The two transports of the package, both with connections to one port, whatever the host. */
export const TRANSPORTS: readonly [string, (port: number) => Partial<TargetClientConfig>][] = [
  [
    'node-fetch',
    (port) => {
      const { request } = http;
      const toPort = (url: string, options: http.RequestOptions) => request(url, { ...options, port });
      jest.spyOn(http, 'request').mockImplementation(toPort as typeof http.request);
      return {};
    },
  ],
  [
    'undici',
    (port) => {
      const inner = createUndiciFetch();
      const call: typeof inner = Object.assign(
        (...[url, init]: Parameters<typeof inner>) => {
          const { protocol, hostname, pathname, search } = new URL(url);
          return inner(`${protocol}//${hostname}:${port}${pathname}${search}`, init);
        },
        { takesAnySignal: true, connectsDirectly: inner.connectsDirectly, close: () => inner.close() },
      );
      return { fetchApi: call };
    },
  ],
];
