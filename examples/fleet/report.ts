import type { ArtifactStats, NotificationStats, RelayedStats, TargetClientStats } from 'target-node-sdk';

/** The facts that a process tells the supervisor: after each decision, and ten times a second. */
export interface Report {
  /** The port of a web process. */
  readonly port?: number;
  readonly artifact?: ArtifactStats | undefined;
  readonly notifications: NotificationStats;
  readonly relayed: RelayedStats;
  /** The state of the shared store. */
  readonly store?: 'ok' | 'failing' | undefined;
  /** The time at which this process changed to the artifact, in ms since 1970. */
  readonly changedAtMs?: number;
}

const EVERY_MS = 100;

/** Picks what the supervisor needs of a client's figures. */
export function toReport({ artifact, artifactStore, notifications, relayed }: TargetClientStats): Report {
  return { artifact, store: artifactStore?.state, notifications, relayed };
}

/** Sends a report to the supervisor. A supervisor that has gone needs none. */
export function send(report: Report): void {
  if (process.connected) {
    process.send?.(report, undefined, undefined, () => undefined);
  }
}

/** Sends the last report of a process, and ends it. */
export function sendLast(report: Report): void {
  if (process.connected) {
    process.send?.(report, () => process.exit());
  } else {
    process.exit();
  }
}

/**
 * Makes a process end in good order with its supervisor, however that ended. Ctrl-C reaches every process of a terminal
 * at once. The supervisor decides the order, so only its SIGTERM counts.
 */
export function followSupervisor(): void {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

/** Reports ten times a second. */
export function reportAlways(report: () => Report): void {
  setInterval(() => send(report()), EVERY_MS).unref();
}
