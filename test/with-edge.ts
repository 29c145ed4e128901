import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { FetchApi, TargetClientConfig } from '../src/index.js';
import { TargetClient, TargetError } from '../src/index.js';
import type { ReceivedRequest, TargetEdge, TargetEdgeOptions } from '../src/testing/edge.js';
import { startTargetEdge } from '../src/testing/edge.js';

/** Of a client whose test is not about time: a busy machine may need longer than the default. */
const PATIENT_MS = 20_000;

/** A local edge for the tests of one file, and clients of it that are closed behind each test. */
export interface WithEdge {
  readonly edge: TargetEdge;
  /** A client of the edge; without telemetry, so that a body is what the caller asked for and nothing more. */
  connect(config?: Partial<TargetClientConfig>): TargetClient;
  /** The request that arrived last. */
  received(): ReceivedRequest;
  /** Its body. */
  sent(): NonNullable<ReceivedRequest['delivery']>;
  /** A fetch that finds the edge whatever host it is asked for, and the hosts that it was asked for. */
  detour(): { readonly fetchApi: FetchApi; readonly urls: URL[] };
}

export function withEdge(options: TargetEdgeOptions = {}): WithEdge {
  const clients: TargetClient[] = [];
  let edge: TargetEdge;
  beforeAll(async () => {
    edge = await startTargetEdge(options);
  });
  afterEach(async () => {
    edge.clearFaults();
    await Promise.all(clients.splice(0).map((client) => client.close()));
    edge.clearRequests();
  });
  afterAll(() => edge.close());
  const received = () => {
    if (!edge.lastRequest) {
      throw new Error('nothing arrived at the edge');
    }
    return edge.lastRequest;
  };
  return {
    get edge() {
      return edge;
    },
    connect: (config) => {
      const client = TargetClient.create({
        ...edge.config,
        timeout: PATIENT_MS,
        telemetryEnabled: false,
        ...config,
      });
      clients.push(client);
      return client;
    },
    received,
    sent: () => {
      const { delivery } = received();
      if (!delivery) {
        throw new Error('what arrived is no delivery request');
      }
      return delivery;
    },
    detour: () => {
      const urls: URL[] = [];
      return {
        urls,
        fetchApi: (written, init) => {
          const url = new URL(written);
          urls.push(url);
          return fetch(edge.url + url.pathname + url.search, init);
        },
      };
    },
  };
}

/** The TargetError that something throws or rejects with. */
export async function targetErrorOf(work: () => unknown): Promise<TargetError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TargetError) {
      return error;
    }
    throw new Error(`not a TargetError: ${String(error)}`, { cause: error });
  }
  throw new Error('nothing was thrown');
}

/** The same value with everything in it frozen. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) {
      deepFreeze(item);
    }
  }
  return value;
}

/** A logger that keeps its lines by level. */
export function listeningLogger() {
  const lines = {
    debug: [] as string[],
    info: [] as string[],
    warn: [] as string[],
    error: [] as string[],
  };
  const logger = {
    debug: (line: unknown) => void lines.debug.push(String(line)),
    info: (line: unknown) => void lines.info.push(String(line)),
    warn: (line: unknown) => void lines.warn.push(String(line)),
    error: (line: unknown) => void lines.error.push(String(line)),
  };
  return { lines, logger };
}
