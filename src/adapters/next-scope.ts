import { TargetError } from '../index.js';
import { loadHeaders } from './next-modules.js';

const REMEDY =
  'call visit() for a request: in a dynamic server component, a route handler or a server action, outside of `use cache`, unstable_cache() and generateStaticParams(), and pass what it answers to cached functions';

/**
 * Resolves with the headers of the request.
 *
 * Next.js throws when there is no request, and some of these errors are its way to learn that a page is dynamic. Those pass
 * as they are.
 */
export async function currentHeaders(): Promise<Headers> {
  const { headers } = await loadHeaders();
  let given: Headers;
  try {
    given = await headers();
  } catch (thrown) {
    throw explained(thrown);
  }
  if (given.keys().next().done) {
    throw new TargetError(
      'ERR_TARGET_INVALID_CONFIG',
      `visit() found a request without headers, as pages with dynamic = 'force-static' have it: ${REMEDY}`,
    );
  }
  return given;
}

function explained(thrown: unknown): unknown {
  return thrown;
}
