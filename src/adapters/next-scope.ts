import { TargetError } from '../index.js';
import { loadHeaders, loadServer } from './next-modules.js';

const REMEDY =
  'Await visit() in a dynamic server component, a route handler or a server action, before, and outside of, ' +
  "'use cache', unstable_cache(), after() and generateStaticParams()";

/**
 * Resolves with the headers of the request.
 *
 * Next.js throws where there is no request. By some of its errors it learns that a page is dynamic, so they pass as they
 * are.
 */
export async function currentHeaders(): Promise<Headers> {
  // Tests of a program may stand in for `next/headers` alone.
  const [{ headers }, server] = await Promise.all([loadHeaders(), loadServer().catch(() => undefined)]);
  try {
    const given = await headers();
    // Every request has some. A page that is always static gets none, and would be kept for all visitors.
    if (given.keys().next().done) {
      throw noRequest("A page with dynamic = 'force-static' has no request");
    }
    // Next.js with partial prefetching renders a page a second time, for its store, and that has headers too.
    await server?.connection?.();
    return given;
  } catch (thrown) {
    throw isPlain(thrown) ? noRequest(thrown.message, thrown) : thrown;
  }
}

function noRequest(reason: string, cause?: Error): TargetError {
  return new TargetError('ERR_TARGET_INVALID_CONFIG', `visit() found no request. ${REMEDY} (${reason})`, {
    cause,
  });
}

/** Tells whether an error is for people. Those by which Next.js controls its work have a digest, a code or a name. */
function isPlain(thrown: unknown): thrown is Error {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    Reflect.get(thrown, 'name') === 'Error' &&
    !['digest', 'code', '$$typeof'].some((name) => name in thrown)
  );
}
