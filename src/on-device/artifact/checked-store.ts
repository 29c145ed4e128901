import type {
  OfferedArtifact,
  OfferResult,
  SharedArtifact,
  SharedArtifactStore,
  StoredVersion,
} from '../../config/shared-artifact-store.js';
import { toFlag, toOfferResult, toSharedArtifact, toStoredVersion } from './store-answers.js';
import type { StoreAnswer, StoreCalls } from './store-calls.js';

/** The tickets of an artifact. `heal`: one process repairs the store. `probe`: shows that the store can be written. */
export type Ticket = 'poll' | 'heal' | 'probe';

/** The part of a store that belongs to one artifact. Its answers are checked, and no method rejects. */
export class CheckedStore {
  readonly #store: SharedArtifactStore;
  readonly #key: string;
  readonly #calls: StoreCalls;

  constructor(store: SharedArtifactStore, key: string, calls: StoreCalls) {
    this.#store = store;
    this.#key = key;
    this.#calls = calls;
  }

  peek(): Promise<StoreAnswer<StoredVersion | undefined>> {
    return this.#calls.run(
      'peek',
      (signal) => this.#store.peek(this.#key, { signal }),
      (version) => toStoredVersion(version, this.#store.activationDelayMs),
    );
  }

  read(): Promise<StoreAnswer<SharedArtifact | undefined>> {
    return this.#calls.run(
      'read',
      (signal) => this.#store.read(this.#key, { signal }),
      (read) => toSharedArtifact(read, this.#store.activationDelayMs),
    );
  }

  offer(artifact: OfferedArtifact): Promise<StoreAnswer<OfferResult>> {
    return this.#calls.run(
      'offer',
      (signal) => this.#store.offer(this.#key, artifact, { signal }),
      (result) => toOfferResult(result, this.#store.activationDelayMs),
    );
  }

  async confirm(id: string): Promise<void> {
    await this.#calls.run('confirm', (signal) => this.#store.confirm(this.#key, id, { signal }), toFlag);
  }

  /** Resolves with `undefined` when the store gave no answer. */
  async claim(ticket: Ticket, ttlMs: number): Promise<boolean | undefined> {
    const key = ticket === 'poll' ? this.#key : `${this.#key}:${ticket}`;
    const answer = await this.#calls.run(
      'claim',
      (signal) => this.#store.claim(key, ttlMs, { signal }),
      toFlag,
    );
    return typeof answer === 'object' ? answer.value : undefined;
  }
}
