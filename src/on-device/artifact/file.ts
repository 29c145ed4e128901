import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TargetError, toError } from '../../errors.js';
import { type Limits, type Span, within } from '../../http/deadline.js';

/** Reads a file to its end once, within the given limits. */
export type ReadFile = (limits: Limits & { readonly signal: AbortSignal }) => Promise<Buffer>;

const PIECE_BYTES = 256 * 1024;

/**
 * Reads the artifact file of a `file:` URL, again and again. Every failure that is not an abort is a TargetError. A read
 * that outlived its time limit holds a thread of the process until its file system answers: no second one is begun
 * beside it.
 */
export function createFileReader(location: string, maxBytes: number): ReadFile {
  let reading: Promise<Buffer> | undefined;
  return (limits) =>
    within(
      limits,
      (span) => {
        reading ??= readWhole(location, maxBytes, span).finally(() => {
          reading = undefined;
        });
        return reading;
      },
      (limit) => (limit === 'signal' ? limits.signal.reason : toTimeout(limits)),
    );
}

async function readWhole(location: string, maxBytes: number, span: Span): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer, which may never come.
    const file = await open(fileURLToPath(location), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw unusable('is no regular file');
      const pieces: Buffer[] = [];
      let left = maxBytes + 1;
      while (!span.aborted) {
        // Read piece by piece and not by its size: a file may grow meanwhile, and those of /proc have none.
        const { buffer, bytesRead } = await file.read({
          buffer: Buffer.allocUnsafe(Math.min(PIECE_BYTES, left)),
        });
        if (bytesRead === 0) return Buffer.concat(pieces);
        pieces.push(buffer.subarray(0, bytesRead));
        left -= bytesRead;
        if (left === 0) throw unusable(`has more than ${maxBytes} bytes`);
      }
      throw span.reason;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof TargetError) throw thrown;
    const { name, code = name } = toError(thrown) as NodeJS.ErrnoException;
    throw unusable(`could not be read: ${code}`, thrown);
  }
}

function unusable(result: string, cause?: unknown): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact file ${result}`, { cause });
}

function toTimeout({ timeoutMs }: Limits): TargetError {
  return new TargetError('ERR_TARGET_TIMEOUT', `the artifact file was not read within ${timeoutMs} ms`);
}
