import type { SharedArtifact, SharedArtifactStore } from '../../config/shared-artifact-store.js';
import type { Events } from '../../events.js';
import type { Logger } from '../../logger.js';
import type { HeldArtifact } from './held.js';

/** A download that the loop asks for. */
export interface WantedDownload {
  /** True when the artifact replaces whatever the store holds, because that is empty or of no use. */
  readonly isForced: boolean;
}

/** The moment of an artifact, as the store names it. */
export interface Moment extends Pick<SharedArtifact, 'activeInMs' | 'seenMsAgo'> {
  /** True when the store gave no answer in time. */
  readonly isGuess?: boolean | undefined;
}

/** A download that was offered to the store, and its moment. */
export interface Offered extends Pick<Moment, 'activeInMs' | 'isGuess'> {
  readonly text: string;
  /** True when it was taken into use before it was offered, because there was nothing else. */
  readonly isFirst: boolean;
}

/** The parts of a client that a shared store needs. */
export interface SharingOptions {
  readonly store: SharedArtifactStore;
  /** URL of the artifact, under which the store keeps it. */
  readonly key: string;
  readonly held: HeldArtifact;
  readonly events: Events;
  readonly logger: Logger;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
  /** Time between two downloads in ms; 0 when this process never downloads by itself. */
  readonly pollingIntervalMs: number;
  /** Downloads the whole artifact and offers it. It never rejects. */
  readonly download: (wanted: WantedDownload) => void;
  /** Called when an artifact of the store, or one that was offered to it, is in use. */
  readonly onUse: (text: string) => void;
  /** Called when the store says that the artifact in use is the current one. */
  readonly onConfirmed: () => void;
  /** Called after each look at the store, because time alone can change the status. */
  readonly onLook: () => void;
}
