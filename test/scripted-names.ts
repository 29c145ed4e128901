import dns from 'node:dns';
import http from 'node:http';
import { createUndiciFetch } from '../src/http/undici.js';
import type { TargetClientConfig } from '../src/index.js';

/** What a resolver says to a name. It never answers where there is none. */
export type Verdict = 'there' | 'ENOTFOUND' | 'EAI_AGAIN' | undefined;

/** How a scripted resolver works. */
export interface ScriptOptions {
  /** Look-ups that are under way at a time; the others wait for them, as in libuv. @default all */
  readonly places?: number;
  /** After how many ms a name is not found. @default when it is told to */
  readonly absentMs?: number;
}

/** A resolver in the place of the process's own, and what it was asked. */
export interface ScriptedNames {
  readonly asked: string[];
  /** The most look-ups of names that are not there which were under way at a time. */
  mostAbsent: number;
  /** Answers to the names that are not there. */
  release(): void;
  /** Puts the process's own resolver back. */
  restore(): void;
}

type Done = (error: Error | null, address?: unknown, family?: number) => void;

/** Has every name of this process resolved by a script. Names that are there have the address of the loopback. */
export function withScriptedNames(
  verdictOn: (name: string) => Verdict,
  { places = Number.POSITIVE_INFINITY, absentMs }: ScriptOptions = {},
): ScriptedNames {
  const own = dns.lookup;
  const waiting: (() => void)[] = [];
  const absent = new Set<() => void>();
  let underWay = 0;
  const names: ScriptedNames = {
    asked: [],
    mostAbsent: 0,
    release: () => {
      for (const answer of absent) {
        answer();
      }
    },
    restore: () => {
      dns.lookup = own;
    },
  };
  const goOn = () => {
    for (; underWay < places; underWay += 1) {
      const begin = waiting.shift();
      if (!begin) {
        return;
      }
      begin();
    }
  };
  const finish = (answer: () => void) => {
    underWay -= 1;
    goOn();
    answer();
  };
  const lookup = (name: string, given: { all?: boolean } | Done, last?: Done) => {
    const [options, done] = typeof given === 'function' ? [{}, given] : [given, last as Done];
    names.asked.push(name);
    const verdict = verdictOn(name);
    const found = options.all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4];
    const error = Object.assign(new Error(`getaddrinfo ${verdict} ${name}`), { code: verdict });
    waiting.push(() => {
      if (verdict === 'there') {
        setImmediate(finish, () => done(null, ...found));
        return;
      }
      const answer = () => {
        if (verdict && absent.delete(answer)) {
          finish(() => done(error));
        }
      };
      absent.add(answer);
      names.mostAbsent = Math.max(names.mostAbsent, absent.size);
      if (absentMs !== undefined) {
        setTimeout(answer, absentMs);
      }
    });
    goOn();
  };
  dns.lookup = lookup as typeof dns.lookup;
  return names;
}

/** A transport whose connections go to one port, whatever the host. */
export interface PortedTransport {
  readonly config: Partial<TargetClientConfig>;
  restore(): void;
}

/** The two transports of the package. */
export const TRANSPORTS: readonly [string, (port: number) => PortedTransport][] = [
  ['node-fetch', withNodeFetch],
  ['undici', withUndici],
];

function withNodeFetch(port: number): PortedTransport {
  const own = http.request;
  const toPort = (url: string, options: http.RequestOptions) => own(url, { ...options, port });
  http.request = toPort as typeof http.request;
  return {
    config: {},
    restore: () => {
      http.request = own;
    },
  };
}

function withUndici(port: number): PortedTransport {
  const inner = createUndiciFetch();
  const call = (...[url, init]: Parameters<typeof inner>) => {
    const { protocol, hostname, pathname, search } = new URL(url);
    return inner(`${protocol}//${hostname}:${port}${pathname}${search}`, init);
  };
  const { takesAnySignal, connectsDirectly } = inner;
  const fetchApi = Object.assign(call, { takesAnySignal, connectsDirectly });
  return { config: { fetchApi }, restore: () => void inner.close() };
}
