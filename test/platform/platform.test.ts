import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { assert, constantFrom, oneof, property, string, stringMatching, uint8Array } from 'fast-check';
import * as node from '../../src/platform/node.js';
import type { Platform } from '../../src/platform/platform.js';
import * as web from '../../src/platform/web.js';

const platforms: Readonly<Record<string, Platform>> = { node, web };

test('both platforms have the same names', () => {
  expect(Object.keys(web).toSorted()).toEqual(Object.keys(node).toSorted());
});

describe('both platforms agree', () => {
  const texts = string({ unit: 'binary', maxLength: 40 });
  const bytes = uint8Array({ maxLength: 60 });

  test('on what an IP address is', () => {
    const known = [
      ...[
        '',
        '1.2.3.4',
        '255.255.255.255',
        '256.1.1.1',
        '01.2.3.4',
        '1.2.3',
        '1.2.3.4.5',
        ' 1.2.3.4',
        '1.2.3.4\n',
      ],
      ...[
        '::',
        '::1',
        '1::',
        '2001:db8::1',
        '2001:DB8::1',
        '1:2:3:4:5:6:7:8',
        '1:2:3:4:5:6:7',
        '1::2::3',
        ':::',
      ],
      ...[
        '::ffff:1.2.3.4',
        '::1.2.3.4.5',
        '::01.2.3.4',
        '::256.2.3.4',
        'fe80::1%eth0',
        'fe80::1%',
        '12345::',
        '[::1]',
      ],
      ...['a', 'localhost', '0x7f.1', '1', '::g', '1:2:3:4:5:6:1.2.3.4', '1.2.3.4::', '%eth0', ':1', '1:'],
    ];
    for (const text of known) {
      expect([text, web.isIp(text)]).toEqual([text, isIP(text)]);
    }
    const parts = constantFrom('1', '255', 'ff', 'FFFF', '0', ':', '::', '.', '1.2.3.4');
    const joined = stringMatching(/^[\da-f:.]{0,20}$/);
    void assert(
      property(oneof(joined, parts, texts), (text) => web.isIp(text) === isIP(text)),
      { numRuns: 2000 },
    );
  });

  test('on UTF-8, whatever it is made of', () => {
    for (const text of ['', 'a', 'é', '€', '😀', '\ud83d', 'a\ude00b', '\ufeffa']) {
      expect(web.utf8Length(text)).toBe(node.utf8Length(text));
      expect([...web.toBytes(text)]).toEqual([...node.toBytes(text)]);
      expect(web.toText(web.toBytes(text))).toBe(node.toText(node.toBytes(text)));
    }
    void assert(property(texts, (text) => web.utf8Length(text) === node.utf8Length(text)));
    void assert(property(bytes, (some) => web.toText(some) === node.toText(some)));
  });

  test('on how bytes are written', () => {
    void assert(property(bytes, (some) => web.toHex(some) === node.toHex(some)));
    void assert(property(bytes, (some) => web.fromLatin1(some) === node.fromLatin1(some)));
  });

  test('on a part of a bigger array', () => {
    const part = new TextEncoder().encode('xhelloy').subarray(1, 6);
    for (const platform of [node, web]) {
      expect(platform.toText(part)).toBe('hello');
      expect(platform.toHex(part)).toBe('68656c6c6f');
      expect(platform.fromLatin1(part)).toBe('hello');
      expect([...platform.concat([part, new Uint8Array(), part.subarray(4)])]).toEqual([
        ...Buffer.from('helloo'),
      ]);
    }
  });

  test.each(Object.entries(platforms))('on random bytes: %s', (_, { fillRandom }) => {
    const filled = new Uint8Array(8192);
    fillRandom(filled);
    expect(new Set(filled).size).toBe(256);
  });

  test.each(Object.entries(platforms))('on what is later: %s', async (_, { later }) => {
    const order: string[] = [];
    const ended = new Promise<void>((resolve) => {
      later(() => {
        order.push('later');
        resolve();
      });
    });
    queueMicrotask(() => order.push('microtask'));
    order.push('now');
    await ended;
    expect(order).toEqual(['now', 'microtask', 'later']);
  });

  test.each(Object.entries(platforms))('on timers that keep nothing alive: %s', (_, { ref, unref }) => {
    const timer = setTimeout(() => undefined, 1000);
    expect(unref(timer)).toBe(timer);
    ref(timer);
    clearTimeout(timer);
    expect(unref(undefined)).toBeUndefined();
    expect(ref(undefined)).toBeUndefined();
  });
});

test('a stream of Node is known on Node alone', () => {
  expect(node.isNodeStream(Readable.from(['x']))).toBe(true);
  expect(node.isNodeStream(new ReadableStream())).toBe(false);
  expect(web.isNodeStream(new ReadableStream())).toBe(false);
});
