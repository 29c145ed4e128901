import { TargetError, unreadableError } from '../errors.js';
import type { AnyAttributes, AttributesProvider, DeliveryRequest, TargetClient } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import type { ReadCall } from './openfeature-context.js';

/** The maximum number of mboxes of one call to the edge. */
const MAX_MBOXES = 50;

/** A question for the client, as `getAttributes` asks it. The call has begun with the first read that waits for it. */
const QUESTION = {
  operation: 'getAttributes',
  method: undefined,
  usualTimeoutMs: undefined,
  isForgotten: false,
  observed: undefined,
  hasBegun: true,
} as const;

/** The reads of one turn of the event loop that share a call. */
interface Batch {
  readonly mboxes: Set<string>;
  /** The number of mboxes that the call can take. */
  readonly room: number;
  readonly answer: Promise<AttributesProvider>;
}

/**
 * Asks for the mboxes of flags. Each call counts an impression, and a call to the edge costs time. So equal reads that run
 * at the same time share a call, and those of one turn of the event loop share one to the edge.
 */
export class FlagReads {
  readonly #client: TargetClient;
  readonly #batches = new Map<string, Batch>();
  /** The calls that are running, by what they read. */
  readonly #running = new Map<string, Promise<AttributesProvider>>();
  #hasWarned = false;

  constructor(client: TargetClient) {
    this.#client = client;
  }

  /** Asks for an mbox. `toText` returns a text that is equal for equal contexts. */
  async read(mbox: string, call: ReadCall, toText: () => string): Promise<AttributesProvider> {
    const { visit, options } = call;
    const request = this.#requestOf([mbox], call);
    const method = options.decisioningMethod ?? this.#client.decisioningMethod;
    if (visit || method !== 'server-side') {
      const asked = visit ?? this.#client;
      return this.#share(`${toText()} ${mbox}`, () => asked.getAttributes([mbox], { ...options, request }));
    }
    this.#warnOfCost();
    this.#client.forVisits.refuseWhenClosed();
    const text = toText();
    const known = this.#batches.get(text);
    if (known && (known.mboxes.size < known.room || known.mboxes.has(mbox))) {
      known.mboxes.add(mbox);
      return known.answer;
    }
    const mboxes = new Set([mbox]);
    const room = MAX_MBOXES + 1 - (ownOf(request).execute?.mboxes?.length ?? 1);
    const batch = { mboxes, room, answer: this.#ask(mboxes, call, () => this.#end(text, batch)) };
    this.#batches.set(text, batch);
    return batch.answer;
  }

  /** Gives equal reads the call that is running for one of them. Flags of one mbox, read together, are one impression. */
  #share(text: string, ask: () => Promise<AttributesProvider>): Promise<AttributesProvider> {
    const running = this.#running.get(text);
    if (running) {
      return running;
    }
    const answer = ask();
    const end = () => this.#running.delete(text);
    this.#running.set(text, answer);
    answer.then(end, end);
    return answer;
  }

  /** Asks for mboxes at the end of this turn. More of them may be added until then. */
  #ask(mboxes: ReadonlySet<string>, call: ReadCall, begin: () => void): Promise<AttributesProvider> {
    const { answer, held, toAttributes, toError } = this.#client.forVisits;
    const work = afterReads().then(async () => {
      begin();
      const options = { ...call.options, request: this.#requestOf([...mboxes], call) };
      try {
        return toAttributes<AnyAttributes>(await answer(options, QUESTION));
      } catch (thrown) {
        throw toError(thrown, options);
      }
    });
    held.add(work);
    return work;
  }

  #end(text: string, batch: Batch): void {
    if (this.#batches.get(text) === batch) {
      this.#batches.delete(text);
    }
  }

  /**
   * Adds mboxes with their parameters to the request of a call. Parameters that the request itself has win.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a request or parameters that cannot be read.
   */
  #requestOf(names: readonly string[], call: ReadCall): DeliveryRequest {
    try {
      return this.#toRequest(names, call);
    } catch (thrown) {
      throw thrown instanceof TargetError
        ? thrown
        : unreadableError('ERR_TARGET_INVALID_REQUEST', 'request', thrown);
    }
  }

  #toRequest(names: readonly string[], { visit, request, parameters }: ReadCall): DeliveryRequest {
    const base = visit ? request : { context: { channel: 'web' as const }, ...request };
    const asked = this.#client.forVisits.addMboxes(base, names);
    if (Object.keys(parameters).length === 0) {
      return asked;
    }
    const { execute, prefetch } = ownOf(asked);
    const withParameters = <Mbox>(mbox: Mbox): Mbox =>
      isRecord(mbox) && names.includes(String(mbox.name))
        ? { ...mbox, parameters: { ...parameters, ...(isRecord(mbox.parameters) && mbox.parameters) } }
        : mbox;
    return {
      ...asked,
      ...(execute?.mboxes && { execute: { ...execute, mboxes: execute.mboxes.map(withParameters) } }),
      ...(prefetch?.mboxes && { prefetch: { ...prefetch, mboxes: prefetch.mboxes.map(withParameters) } }),
    };
  }

  #warnOfCost(): void {
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#client.forVisits.logger.warn(
        'OpenFeature: each read of a flag is a call to the edge that counts an impression: give the visit of the request as the context attribute `visit`, so that flags and offers share a call',
      );
    }
  }
}

/** Resolves at the end of the present turn of the event loop. */
function afterReads(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof globalThis.setImmediate === 'function') {
      globalThis.setImmediate(resolve);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
