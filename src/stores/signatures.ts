import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { OfferedArtifact } from '../index.js';

/** Signs an artifact and its facts, and verifies signatures. */
export interface Signatures {
  sign(key: string, artifact: OfferedArtifact): string;
  verify(key: string, artifact: OfferedArtifact, signature: string): boolean;
}

/**
 * Signs by HMAC-SHA-256 with the first secret, and accepts the signatures of all. Without a secret it makes checksums,
 * which show damage but no forgery.
 */
export function toSignatures(secrets: readonly string[]): Signatures {
  const digest = (secret: string | undefined, key: string, artifact: OfferedArtifact) => {
    const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
    return hash.update(linesOf(key, artifact)).digest();
  };
  const kind = secrets.length === 0 ? 'sha256:' : 'hmac:';
  const all: readonly (string | undefined)[] = secrets.length === 0 ? [undefined] : secrets;
  return {
    sign: (key, artifact) => kind + digest(all[0], key, artifact).toString('base64'),
    verify: (key, artifact, signature) => {
      if (!signature.startsWith(kind)) {
        return false;
      }
      const given = Buffer.from(signature.slice(kind.length), 'base64');
      return all.some((secret) => {
        const wanted = digest(secret, key, artifact);
        return wanted.length === given.length && timingSafeEqual(wanted, given);
      });
    },
  };
}

/** Writes all that is signed, one fact per line. No fact has a line break: JSON writes the texts. */
function linesOf(key: string, { text, order, isForced, etag }: OfferedArtifact): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return JSON.stringify([key, hash, order ?? null, isForced, etag ?? null], undefined, 1);
}
