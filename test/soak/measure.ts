import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** What a process holds at one moment. */
export interface Sample {
  /** How many visitors, clients or polls there have been. */
  readonly count: number;
  /** Behind a collection. */
  readonly heapBytes: number;
  /** What may keep a process alive, by kind: timers, sockets, requests. */
  readonly resources: Readonly<Record<string, number>>;
  /** Connections of clients that are open. */
  readonly sockets: number;
}

/** What a scenario has come to. */
export interface SoakResult {
  readonly name: string;
  /** What is counted, in the singular. */
  readonly unit: string;
  /** What each of them may leave behind. */
  readonly maxBytes: number;
  readonly samples: readonly Sample[];
}

/** The part of a scenario in which caches fill and code is compiled. */
export const WARM_UP = 0.3;

let sockets = 0;
subscribe('net.client.socket', (message) => {
  sockets += 1;
  (message as { readonly socket: Socket }).socket.once('close', () => {
    sockets -= 1;
  });
});

/** What this process holds, once everything that is going on is over. Needs `--expose-gc`. */
export async function sample(count: number): Promise<Sample> {
  if (!globalThis.gc) {
    throw new Error('the soak needs --expose-gc');
  }
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise(setImmediate);
  }
  // What is finalised in one collection is freed by the next.
  for (let collection = 0; collection < 3; collection += 1) {
    globalThis.gc();
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    resources[kind] = (resources[kind] ?? 0) + 1;
  }
  return { count, heapBytes: process.memoryUsage().heapUsed, resources, sockets };
}

/** By how much the heap grows for each: the slope of the line through the samples behind the warm-up. */
export function bytesForEach({ samples }: SoakResult): number {
  const points = steady(samples);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ count }) => count)), mean(points.map(({ heapBytes }) => heapBytes))];
  const rise = points.reduce((sum, { count, heapBytes }) => sum + (count - x) * (heapBytes - y), 0);
  return rise / points.reduce((sum, { count }) => sum + (count - x) ** 2, 0);
}

/** What grew that should not have. */
export function faultsOf(result: SoakResult): string[] {
  const points = steady(result.samples);
  const [first, last] = [points[0], points.at(-1)];
  if (points.length < 3 || !first || !last) {
    return ['too few samples'];
  }
  const faults: string[] = [];
  const bytes = bytesForEach(result);
  if (bytes > result.maxBytes) {
    faults.push(`${bytes.toFixed(2)} bytes for each ${result.unit}`);
  }
  for (const [kind, count] of Object.entries(last.resources)) {
    const before = first.resources[kind] ?? 0;
    if (count > before) {
      faults.push(`${kind}: ${before}, then ${count}`);
    }
  }
  if (last.sockets > first.sockets) {
    faults.push(`sockets: ${first.sockets}, then ${last.sockets}`);
  }
  return faults;
}

function steady(samples: readonly Sample[]): readonly Sample[] {
  const total = samples.at(-1)?.count ?? 0;
  return samples.filter(({ count }) => count >= WARM_UP * total);
}
