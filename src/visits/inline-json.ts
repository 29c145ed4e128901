const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * Writes a value as JSON that is safe inside a `<script>` of a page. An offer may hold `</script>`, which would end the
 * script, so such characters are escaped. Use it for `visitorState`, and for the `serverState` of at.js. A value that
 * JSON does not have, such as `undefined`, becomes `null`.
 *
 * @throws {TypeError} for a value that holds itself, or a `bigint`.
 *
 * @example
 * ```ts
 * const { visitorState } = await client.getOffers({ request: { execute: { pageLoad: {} } } });
 * const script = `<script>window.visitorState = ${toInlineJson(visitorState)};</script>`;
 * ```
 */
export function toInlineJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => ESCAPES[character] ?? '',
  );
}
