import { spread } from '../../http/retry.js';
import type { Waits } from './waits.js';

/** Time for which a start waits for an answer of the store, before it asks the CDN. */
export const START_MS = 250;
/** Time for which a start waits for the download of another process, as long as the store answers. */
const OTHERS_MS = 2000;
/** Mean time between two looks at the store meanwhile. */
const LOOK_MS = 70;

/** The parts of a start that a wait for another process needs. */
export interface StartLooks {
  readonly waits: Waits;
  /** True once there is an artifact, or the client is closed. */
  readonly isOver: () => boolean;
  /** Reads the store once. Resolves with false when it gave no answer. It never rejects. */
  readonly read: () => Promise<boolean>;
}

/** Looks at the store while another process downloads the first artifact, until a read gets no answer. */
export async function waitForOthers({ waits, isOver, read }: StartLooks): Promise<void> {
  const endMs = performance.now() + OTHERS_MS;
  while (!isOver() && performance.now() < endMs) {
    await waits.pause(spread(LOOK_MS, 0.6, 1.4));
    const isAnswered = !isOver() && (await waits.until(read(), performance.now() + START_MS));
    if (!isAnswered) {
      return;
    }
  }
}
