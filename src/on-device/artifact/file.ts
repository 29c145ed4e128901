import { concat, type Files, type OpenFile } from '#platform';
import { nameOf, TargetError, toError } from '../../errors.js';
import { type Limits, type Span, within } from '../../http/deadline.js';

/** Reads a whole file once, within the given limits. */
export type ReadFile = (limits: Limits & { readonly signal: AbortSignal }) => Promise<Uint8Array>;

/** Error of the file system. Its `code` names the cause, such as `ENOENT`. */
type NodeError = Error & { readonly code?: string };

/** Size of one read, in bytes. */
const PIECE_BYTES = 256 * 1024;

/**
 * Creates a function that reads the artifact file of a `file:` URL. The function rejects with a `TargetError`, or with
 * the signal's reason when it is aborted. A read that takes longer than its time limit goes on, and occupies a thread
 * of the process until the file system answers. A second call joins that read. So it does not occupy one more thread.
 */
export function createFileReader(files: Files, location: string, maxBytes: number): ReadFile {
  let reading: Promise<Uint8Array> | undefined;
  return (limits) =>
    within(
      limits,
      (span) => {
        reading ??= readWhole(() => files.open(location), maxBytes, span).finally(() => {
          reading = undefined;
        });
        return reading;
      },
      (limit) => (limit === 'signal' ? limits.signal.reason : toTimeout(limits)),
    );
}

async function readWhole(open: () => Promise<OpenFile>, maxBytes: number, span: Span): Promise<Uint8Array> {
  try {
    const file = await open();
    try {
      if (!(await file.isRegular())) {
        throw unusable('is no regular file');
      }
      const pieces: Uint8Array[] = [];
      let left = maxBytes + 1;
      while (!span.aborted) {
        // The file is read in pieces, not by its size: it may grow meanwhile, and files in `/proc` report a size of
        // 0.
        const piece = await file.read(Math.min(PIECE_BYTES, left));
        if (piece.length === 0) {
          return concat(pieces);
        }
        pieces.push(piece);
        left -= piece.length;
        if (left === 0) {
          throw unusable(`has more than ${maxBytes} bytes`);
        }
      }
      throw span.reason;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof TargetError) {
      throw thrown;
    }
    const { code } = toError(thrown) as NodeError;
    throw unusable(`could not be read: ${code ?? nameOf(thrown)}`, thrown);
  }
}

function unusable(result: string, cause?: unknown): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact file ${result}`, { cause });
}

function toTimeout({ timeoutMs }: Limits): TargetError {
  return new TargetError('ERR_TARGET_TIMEOUT', `the artifact file was not read within ${timeoutMs} ms`);
}
