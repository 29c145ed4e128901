import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { toInlineJson } from '../../src/adapters/http.js';

/** What ends a script, begins a comment in it, or is a line of its own in old JavaScript. */
const BITS = [
  '</script>',
  '</SCRIPT\t',
  '<script',
  '<!--',
  '-->',
  ']]>',
  '&lt;',
  '\u2028',
  '\u2029',
  '\\',
  '"',
  'a',
];
const RUNS = 2000;
const START = '<script>window.serverState = ';
const END = ';</script>';

/** JSON made of whatever is dangerous in a page, as keys and as values, and between anything else. */
function hostileJson(): fc.Arbitrary<unknown> {
  const text = fc
    .array(fc.oneof(fc.constantFrom(...BITS), fc.string({ unit: 'binary', maxLength: 3 })))
    .map((parts) => parts.join(''));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('tree'), { maxLength: 4 }),
    object: fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('tree'),
      { maxKeys: 4 },
    ),
  }));
  return tree;
}

/** Offers in a page: the first end of a script is the page's own, and the value is the one that was written. */
export function checkInlineJson(): void {
  fc.assert(
    fc.property(hostileJson(), (value) => {
      const page = START + toInlineJson(value) + END;
      // Lower case may be longer: that of U+0130 has two characters.
      equal(page.search(/<\/script/i), page.length - '</script>'.length);
      ok(!/<!--|<script/i.test(page.slice(START.length)), 'the page could be read as a comment');
      const written = page.slice(START.length, -END.length);
      ok(!/[\u2028\u2029]/.test(written));
      const same = JSON.stringify(value);
      equal(JSON.stringify(JSON.parse(written)), same);
      deepEqual(JSON.stringify(new Function(`return ${written}`)()), same);
    }),
    { numRuns: RUNS },
  );
}
