import type { Artifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config/config.js';
import type { Events } from '../../events.js';
import type { Transport } from '../../http/transport.js';
import type { Logger } from '../../logger.js';
import type { Observers } from '../../observer.js';
import type { BackgroundWork } from '../../reports/background-work.js';
import type { TelemetryBuffer } from '../../reports/telemetry.js';

/** The parts of a client that an artifact source needs. */
export interface ArtifactSourceOptions {
  readonly config: ResolvedConfig;
  /** Artifact that the caller passed in the configuration; undefined when there is none. */
  readonly payload: Artifact | undefined;
  /** True when the payload counts as the current artifact. */
  readonly isPayloadCurrent: boolean;
  readonly transport: Transport;
  readonly events: Events;
  readonly observers: Observers;
  readonly logger: Logger;
  /** Returns the present time in epoch ms. */
  readonly now: () => number;
  /** Makes the ids of download requests. */
  readonly newId: () => string;
  /** Called when the first artifact is in use. */
  readonly onFirst: () => void;
  /** Takes the duration of each download that brought a new artifact. */
  readonly telemetry: TelemetryBuffer;
  /** Tells the platform of the downloads that nobody waits for. */
  readonly work: BackgroundWork;
}
