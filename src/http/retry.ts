/** How failed calls are repeated, complete and with units. */
export interface RetryPolicy {
  readonly retries: number;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly factor: number;
  readonly jitter: boolean;
}

/** For what has a schedule of its own. */
export const NO_RETRY: RetryPolicy = {
  retries: 0,
  minTimeoutMs: 0,
  maxTimeoutMs: 0,
  factor: 1,
  jitter: false,
};
