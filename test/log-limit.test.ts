import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { FaultLog, LineLimit } from '../src/log-limit.js';

const MINUTE = 60_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('lines that may come with every call', () => {
  function limited() {
    const lines: string[] = [];
    return { lines, limit: new LineLimit((line) => lines.push(line)) };
  }

  test('are said once, and again after ten minutes with how often they were not', () => {
    const { lines, limit } = limited();
    for (let call = 0; call < 100; call += 1) {
      limit.say('a');
    }
    limit.say('b');
    expect(lines).toEqual(['a', 'b']);
    jest.advanceTimersByTime(10 * MINUTE - 1);
    limit.say('b');
    expect(lines).toHaveLength(2);
    jest.advanceTimersByTime(1);
    limit.say('a');
    limit.say('b');
    limit.say('b');
    expect(lines.slice(2)).toEqual(['a (such lines left out before: 100)', 'b']);
    jest.advanceTimersByTime(10 * MINUTE);
    limit.say('a');
    expect(lines.slice(4)).toEqual(['a (such lines left out before: 1)']);
  });

  test('that are all different are said twenty times', () => {
    const { lines, limit } = limited();
    for (let call = 0; call < 10_000; call += 1) {
      limit.say(`line ${call}`);
    }
    expect(lines).toEqual(Array.from({ length: 20 }, (_, call) => `line ${call}`));
    jest.advanceTimersByTime(10 * MINUTE);
    limit.say('line 0');
    expect(lines.at(-1)).toBe('line 0 (such lines left out before: 9980)');
  });

  test('are counted only where they were left out', () => {
    const { lines, limit } = limited();
    limit.say('a');
    jest.advanceTimersByTime(60 * MINUTE);
    limit.say('a');
    expect(lines).toEqual(['a', 'a']);
  });
});

describe('a fault', () => {
  function faulty() {
    const lines: string[] = [];
    const faults = new FaultLog((level, line) => lines.push(`${level}: ${line}`), 'it works');
    return { lines, faults };
  }

  test('is told when it begins, when it changes and when it is over', () => {
    const { lines, faults } = faulty();
    faults.worked();
    for (const line of ['a', 'a', 'a', 'b', 'b', 'a']) {
      faults.failed(line);
    }
    for (let call = 0; call < 3; call += 1) {
      faults.worked();
    }
    faults.failed('a');
    faults.worked();
    expect(lines).toEqual([
      'warn: a',
      'warn: b',
      'warn: a',
      'info: it works again after 6 failures',
      'warn: a',
      'info: it works again after 1 failure',
    ]);
  });

  test('that lasts is told every ten minutes', () => {
    const { lines, faults } = faulty();
    for (let second = 0; second < 3600; second += 1) {
      faults.failed('a');
      jest.advanceTimersByTime(1000);
    }
    expect(lines).toEqual([
      'warn: a',
      'warn: a (601 failures by now)',
      'warn: a (1201 failures by now)',
      'warn: a (1801 failures by now)',
      'warn: a (2401 failures by now)',
      'warn: a (3001 failures by now)',
    ]);
  });

  test('is no other one for the milliseconds that it took', () => {
    const { lines, faults } = faulty();
    faults.failed('did not end within 3000 ms');
    faults.failed('did not end within 2.5 ms');
    expect(lines).toEqual(['warn: did not end within 3000 ms']);
  });

  test('that comes and goes is told ten times in ten minutes, and says so', () => {
    const { lines, faults } = faulty();
    for (let call = 0; call < 10_000; call += 1) {
      faults.failed('a');
      faults.worked();
    }
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe(
      'info: it works again after 1 failure; it comes and goes, and is not logged again for ten minutes',
    );
    jest.advanceTimersByTime(10 * MINUTE);
    faults.failed('a');
    expect(lines.slice(10)).toEqual(['warn: a']);
  });

  test('that changed while nothing was said of it is told as it is, in the end', () => {
    const { lines, faults } = faulty();
    for (let call = 0; call < 100; call += 1) {
      faults.failed(call % 2 === 0 ? 'a' : 'b');
    }
    expect(lines.at(-1)).toMatch(/^warn: b; it comes and goes/);
    jest.advanceTimersByTime(10 * MINUTE);
    faults.failed('b');
    expect(lines.slice(10)).toEqual(['warn: b (101 failures by now)']);
  });
});
