import type { TargetError } from '../../errors.js';
import { FaultLog } from '../../log-limit.js';
import type { ObservedCall } from '../../observer.js';
import { toDownloadEntry } from '../../reports/telemetry.js';
import type { Refusal } from './held.js';
import type { ReadArtifact } from './reader.js';
import type { ArtifactSourceOptions } from './source-options.js';

const REFUSALS: Readonly<Record<Refusal, string>> = {
  older: 'an older artifact than the one in use was not taken',
  blank: 'an artifact without any rules was not taken: the next download has to confirm it',
};

/** Times of a download. */
interface DownloadTimes {
  /** Start of the download in epoch ms. */
  readonly startedMs: number;
  readonly executionMs: number;
  readonly parsingMs: number;
}

/** Tells listeners, the log and telemetry of downloads. */
export class DownloadReports {
  readonly #options: Pick<ArtifactSourceOptions, 'events' | 'telemetry' | 'observers' | 'config'>;
  readonly #location: string;
  readonly #faults: FaultLog;

  constructor({ events, telemetry, observers, config, logger }: ArtifactSourceOptions, location: string) {
    this.#options = { events, telemetry, observers, config };
    this.#location = location;
    this.#faults = new FaultLog(logger.write, 'artifact downloads work');
  }

  /** Makes a download under the eyes of the observers. It gets the call that they see, when there are any. */
  watch(download: (observed: ObservedCall | undefined) => Promise<void>): Promise<void> {
    const { config, observers } = this.#options;
    if (!observers.areWatching) {
      return download(undefined);
    }
    const { decisioningMethod } = config;
    const call: ObservedCall = { operation: 'artifact', decisioningMethod, mboxes: [] };
    return observers.watch(call, () => download(call));
  }

  /** Tells listeners that a new artifact is in use. */
  isNew(text: string): void {
    this.#options.events.emit({
      type: 'artifactDownloadSucceeded',
      artifactLocation: this.#location,
      // Each read returns a copy, because a listener's changes must not reach the artifact in use. It is parsed only
      // for listeners that read it.
      get artifactPayload() {
        return JSON.parse(text);
      },
    });
  }

  /** Logs the end of a download that worked, and the reason why its artifact was not taken. */
  ended(refusal: Refusal | undefined): void {
    if (refusal) {
      this.#faults.failed(REFUSALS[refusal]);
    } else {
      this.#faults.worked();
    }
  }

  /** Adds a download of a new artifact to the telemetry. */
  took({ bytes, timeToFirstByteMs, downloadMs }: ReadArtifact, times: DownloadTimes): void {
    this.#options.telemetry.add(toDownloadEntry({ ...times, bytes, timeToFirstByteMs, downloadMs }));
  }

  /** Tells listeners and the log that a download failed. */
  failed(error: TargetError, isHeld: boolean): void {
    this.#faults.failed(`${error.message}; ${isHeld ? 'the last good one stays' : 'none is held'}`);
    this.#options.events.emit({
      type: 'artifactDownloadFailed',
      artifactLocation: this.#location,
      error,
    });
  }
}
