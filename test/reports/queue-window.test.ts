import { describe, expect, test } from '@jest/globals';
import { type Fault, FIRST_LIMIT, HostWindow } from '../../src/reports/queue-window.js';

const FAULT: Fault = { askedMs: undefined, isRepeated: false };

/** A window whose host has confirmed one call. */
function provenWindow(maxInFlight = 50): HostWindow {
  const window = new HostWindow(maxInFlight);
  window.succeeded(false);
  return window;
}

/** Counts the calls that may run at once. */
function limitOf(window: HostWindow, nowMs = 0): number {
  let begun = 0;
  while (begun < 1000 && window.mayBegin(nowMs, false)) {
    window.begin(nowMs);
    begun += 1;
  }
  for (let ended = 0; ended < begun; ended += 1) {
    window.end();
  }
  return begun;
}

function faults(window: HostWindow, count: number, fault = FAULT): void {
  for (let made = 0; made < count; made += 1) {
    window.faulted(0, fault);
  }
}

describe('the limit of a window', () => {
  test('is one before the first answer, ten after it, and at most `maxInFlight`', () => {
    expect(limitOf(new HostWindow(50))).toBe(1);
    expect(limitOf(provenWindow())).toBe(FIRST_LIMIT);
    expect(limitOf(provenWindow(4))).toBe(4);
  });

  test('grows by one with each success while other calls wait', () => {
    const window = provenWindow(12);
    window.succeeded(false);
    expect(limitOf(window)).toBe(10);
    window.succeeded(true);
    expect(limitOf(window)).toBe(11);
    window.succeeded(true);
    window.succeeded(true);
    expect(limitOf(window)).toBe(12);
  });

  test('shrinks by one with each fault, down to one', () => {
    const window = provenWindow(2);
    faults(window, 1);
    expect(limitOf(window)).toBe(1);
    faults(window, 3);
    expect(limitOf(window)).toBe(1);
  });
});

describe('a pause', () => {
  test('comes with the eighth fault in a row of a host that has answered', () => {
    const window = provenWindow();
    faults(window, 7);
    expect(window.opensAtMs(false)).toBe(0);
    expect(window.isProven).toBe(true);
    faults(window, 1);
    expect(window.opensAtMs(false)).toBeGreaterThanOrEqual(750);
    expect(window.opensAtMs(false)).toBeLessThanOrEqual(1000);
    expect(window.isProven).toBe(false);
    expect(window.isLost).toBe(false);
  });

  test('comes with the first fault of a host that has never answered, and is shorter', () => {
    const window = new HostWindow(50);
    faults(window, 1);
    expect(window.opensAtMs(false)).toBeGreaterThanOrEqual(150);
    expect(window.opensAtMs(false)).toBeLessThanOrEqual(200);
    expect(window.isLost).toBe(true);
    expect(window.hasAnswered).toBe(false);
  });

  test.each([
    ['an answer', (window: HostWindow) => window.answered()],
    ['a confirmed call', (window: HostWindow) => window.succeeded(false)],
  ])('is counted anew after %s', (_, between) => {
    const window = provenWindow();
    faults(window, 7);
    between(window);
    faults(window, 7);
    expect(window.opensAtMs(false)).toBe(0);
    faults(window, 1);
    expect(window.opensAtMs(false)).toBeGreaterThan(0);
  });

  test('is not brought nearer by calls that have failed often', () => {
    const window = provenWindow();
    faults(window, 20, { askedMs: undefined, isRepeated: true });
    expect(window.opensAtMs(false)).toBe(0);
  });

  test('is one for calls that fail together, and the next one is three times as long', () => {
    const window = provenWindow();
    faults(window, 12);
    const first = window.opensAtMs(false);
    expect(first).toBeLessThanOrEqual(1000);
    window.faulted(first, FAULT);
    expect(window.opensAtMs(false) - first).toBeGreaterThanOrEqual(2250);
    expect(window.opensAtMs(false) - first).toBeLessThanOrEqual(3000);
    expect(window.isLost).toBe(true);
  });

  test('ends with a success, and the one after it is short again', () => {
    const window = provenWindow();
    faults(window, 8);
    window.faulted(1000, FAULT);
    window.succeeded(false);
    expect(window.opensAtMs(false)).toBe(0);
    expect(window.isProven).toBe(true);
    expect(limitOf(window)).toBe(FIRST_LIMIT);
    faults(window, 8);
    expect(window.opensAtMs(false)).toBeLessThanOrEqual(1000);
  });

  test('lets one call a second through while somebody waits', () => {
    const window = provenWindow();
    faults(window, 8);
    expect(window.mayBegin(100, false)).toBe(false);
    expect(window.mayBegin(100, true)).toBe(true);
    window.begin(100);
    window.end();
    expect(window.mayBegin(200, true)).toBe(false);
  });
});

describe('a wait that the host asks for', () => {
  const ask = { askedMs: 5000, isRepeated: false };

  test('holds all calls back after the third answer in a row that asks', () => {
    const window = provenWindow();
    faults(window, 2, ask);
    expect(window.opensAtMs(true)).toBe(0);
    faults(window, 1, ask);
    expect(window.opensAtMs(true)).toBe(5000);
  });

  test.each([
    ['an answer', (window: HostWindow) => window.answered()],
    ['a fault that asks for nothing', (window: HostWindow) => window.faulted(0, FAULT)],
  ])('is counted anew after %s', (_, between) => {
    const window = provenWindow();
    faults(window, 2, ask);
    between(window);
    faults(window, 2, ask);
    expect(window.opensAtMs(true)).toBe(0);
  });

  test('is not shortened by a later one', () => {
    const window = provenWindow();
    faults(window, 3, ask);
    faults(window, 1, { askedMs: 10, isRepeated: false });
    expect(window.opensAtMs(false)).toBe(5000);
  });
});

test('a window is idle when no call runs and no pause does', () => {
  const window = new HostWindow(50);
  expect(window.isIdle(0)).toBe(true);
  window.begin(0);
  expect(window.inFlight).toBe(1);
  expect(window.isIdle(0)).toBe(false);
  window.end();
  expect(window.isIdle(0)).toBe(true);
  faults(window, 1);
  expect(window.isIdle(0)).toBe(false);
  expect(window.isIdle(1000)).toBe(true);
});
