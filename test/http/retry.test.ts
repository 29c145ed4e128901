import { describe, expect, jest, test } from '@jest/globals';
import { TargetError, type TargetErrorCode } from '../../src/errors.js';
import { grown, NO_RETRY, obeyedMs, retryWaitMs, toRetryAfterMs, verdictOn } from '../../src/http/retry.js';

/** A refusal of a proxy. */
interface Refusal {
  readonly proxied: number;
}

/** An answer with a status, the refusal of a proxy, or an error of another code. */
function failure(what: number | TargetErrorCode | Refusal): TargetError {
  if (typeof what === 'object') {
    return new TargetError('ERR_TARGET_NETWORK', 'refused', { status: what.proxied });
  }
  return typeof what === 'string'
    ? new TargetError(what, 'it failed')
    : new TargetError('ERR_TARGET_RESPONSE', `status ${what}`, { status: what });
}

describe('the verdict', () => {
  type Says = ReturnType<typeof verdictOn>['saysOfHost'];
  const yes = true;
  const no = false;
  /** When a repetition helps: within the call, later, as a report within the call, as a report later. */
  const ROWS: [number | TargetErrorCode | Refusal, Says, ...boolean[]][] = [
    ['ERR_TARGET_NETWORK', 'silent', yes, yes, yes, yes],
    [{ proxied: 502 }, 'silent', yes, yes, yes, yes],
    [{ proxied: 429 }, 'silent', yes, yes, yes, yes],
    [{ proxied: 407 }, 'nothing', no, yes, no, yes],
    [{ proxied: 403 }, 'nothing', no, yes, no, yes],
    ['ERR_TARGET_TIMEOUT', 'silent', no, yes, no, yes],
    ['ERR_TARGET_INVALID_RESPONSE', 'failed', no, yes, no, yes],
    [408, 'failed', yes, yes, yes, yes],
    [429, 'failed', yes, yes, yes, yes],
    [500, 'failed', yes, yes, yes, yes],
    [502, 'failed', yes, yes, yes, yes],
    [503, 'failed', yes, yes, yes, yes],
    [504, 'failed', yes, yes, yes, yes],
    [420, 'answered', no, no, yes, yes],
    [400, 'answered', no, no, no, no],
    [403, 'answered', no, no, no, no],
    [404, 'answered', no, no, no, no],
    [413, 'answered', no, no, no, no],
    [301, 'failed', no, no, no, no],
    [501, 'failed', no, no, no, no],
    [505, 'failed', no, no, no, no],
    ['ERR_TARGET_ABORTED', 'nothing', no, no, no, no],
    ['ERR_TARGET_CIRCUIT_OPEN', 'nothing', no, no, no, no],
    ['ERR_TARGET_CLOSED', 'nothing', no, no, no, no],
  ];

  test.each(ROWS)('on %j: its host is %s', (what, saysOfHost, ...helps) => {
    const repetitions = [{}, { isLater: true }, { isReport: true }, { isLater: true, isReport: true }];
    const verdicts = repetitions.map((repetition) => verdictOn(failure(what), repetition));
    expect(verdicts).toEqual(helps.map((isRetryable) => ({ isRetryable, saysOfHost })));
  });

  test.each([[new Error('a defect')], ['a text'], [undefined]])(
    'on what is no error of ours: %p',
    (thrown) => {
      expect(verdictOn(thrown, { isLater: true, isReport: true })).toEqual({
        isRetryable: false,
        saysOfHost: 'nothing',
      });
    },
  );
});

describe('a wait', () => {
  const backoff = { minTimeoutMs: 50, maxTimeoutMs: 1000, factor: 3 };

  test.each([
    [1, 50],
    [2, 150],
    [3, 450],
    [4, 1000],
    [10_000, 1000],
  ])('grows with failure %i to %i ms', (failures, ms) => {
    expect(grown(backoff, failures)).toBe(ms);
  });

  test('that begins with nothing does not grow, however often it fails', () => {
    expect(grown({ ...backoff, minTimeoutMs: 0 }, 10_000)).toBe(0);
  });

  test('that was asked for is obeyed up to a limit, and a tenth longer at most', () => {
    const chance = jest.spyOn(Math, 'random');
    chance.mockReturnValue(0);
    expect([obeyedMs(700, 1000), obeyedMs(7000, 1000), obeyedMs(undefined, 1000)]).toEqual([
      700,
      1000,
      undefined,
    ]);
    chance.mockReturnValue(1);
    expect(obeyedMs(7000, 1000)).toBe(1100);
    chance.mockRestore();
  });

  test('before an attempt is the longer one of the backoff and of what was asked for', () => {
    const policy = { ...NO_RETRY, ...backoff };
    const asking = (retryAfterMs: number) => new TargetError('ERR_TARGET_RESPONSE', '503', { retryAfterMs });
    expect([retryWaitMs(policy, 2, asking(100)), retryWaitMs(policy, 2, asking(200))]).toEqual([150, 200]);
    expect(retryWaitMs(policy, 2, failure(503))).toBe(150);
  });
});

test.each([
  [null, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['120', 120_000],
  ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
  ['Tue, 01 Jan 2008 00:00:00 GMT', 0],
])('Retry-After %p is %p ms', (header, ms) => {
  expect(toRetryAfterMs(header)).toBe(ms);
});
