import type { TargetClient } from '../index.js';
import { changedCookies } from '../visits/written-cookies.js';
import type { IncomingRequest, Visit } from './http.js';
import { loadHeaders } from './next-modules.js';

/** Writes the cookies that Target has changed, if this is a place where cookies can be written. */
export async function commitCookies(
  client: TargetClient,
  visit: Visit,
  incoming: IncomingRequest,
): Promise<void> {
  const changed = changedCookies(visit.setCookies, incoming, client.organizationId);
  if (changed.length === 0) {
    return;
  }
  const { cookies } = await loadHeaders();
  const store = await cookies();
  try {
    for (const { name, value, attributes } of changed) {
      store.set(name, value, attributes);
    }
  } catch {
    client.forVisits.logger.debug(
      'commit() wrote no cookies: Next.js writes them in server actions and route handlers alone',
    );
  }
}
