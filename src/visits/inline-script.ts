import { describeKind, invalidOption } from '../errors.js';

/** Matches a nonce: the characters of base64 in both of its alphabets. @see https://www.w3.org/TR/CSP3/#grammardef-nonce-source */
const NONCE = /^[\w+/-]{1,256}={0,2}$/;

/**
 * Writes a `<script>` for a page whose Content Security Policy may want a nonce.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a nonce with other characters than those of base64. The message
 * does not show it, because a nonce is a secret until the page is sent.
 */
export function toInlineScript(code: string, nonce: unknown): string {
  if (nonce === undefined || nonce === null) {
    return `<script>${code}</script>`;
  }
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) {
    throw invalidOption('nonce', 'a nonce of base64 characters', nonce, describeKind);
  }
  return `<script nonce="${nonce}">${code}</script>`;
}
