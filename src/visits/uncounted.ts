import type {
  ExecuteResponse,
  MboxResponse,
  PrefetchResponse,
  ResolvedMboxRequest,
  TargetDeliveryResponse,
} from '../index.js';
import { copyWith, emptyLike, ownOf } from '../inherited-names.js';
import type { CopiedRequest } from '../request/copy-request.js';

/** A request that counts nothing, and the way back to the answer that the caller expects. */
export interface Uncounted {
  readonly request: CopiedRequest;
  /** Puts the answers for the locations of `execute` where the caller looks for them: under `execute`. */
  restore(answer: TargetDeliveryResponse): void;
}

/**
 * Makes a request that counts nothing: the locations of `execute` are prefetched. Orders and products are left out,
 * because a prefetch cannot count them, and so are notifications, which would be counted.
 */
export function toUncounted(asked: CopiedRequest): Uncounted {
  const { notifications: _reports, ...quiet } = ownOf(asked);
  const { execute, prefetch, impressionId: _, ...rest } = ownOf(quiet);
  if (!execute) {
    return { request: quiet, restore: () => undefined };
  }
  const mboxes = [...(ownOf(prefetch)?.mboxes ?? []), ...(ownOf(execute).mboxes ?? [])];
  const pageLoad = ownOf(execute).pageLoad ?? ownOf(prefetch)?.pageLoad;
  // Two mboxes may have the same index, one in each part. So all get new ones.
  const numbered = mboxes.map((mbox, index) => ({ ...withoutSale(mbox), index }));
  const request = {
    ...rest,
    prefetch: {
      ...prefetch,
      ...(pageLoad && { pageLoad: withoutSale(pageLoad) }),
      ...(numbered.length > 0 && { mboxes: numbered }),
    },
  };
  return { request, restore: (answer) => restore(answer, asked) };
}

function withoutSale<Details extends { readonly order?: unknown; readonly product?: unknown }>(
  details: Details,
): Omit<Details, 'order' | 'product'> {
  const { order: _order, product: _product, ...rest } = details;
  return rest;
}

function restore(answer: TargetDeliveryResponse, asked: CopiedRequest): void {
  const { execute, prefetch } = ownOf(asked);
  const { response } = answer;
  const executed: ExecuteResponse = emptyLike(response);
  const rest: PrefetchResponse = copyWith(response.prefetch ?? emptyLike(response), {});
  const { pageLoad } = rest;
  const mboxes = rest.mboxes ?? [];
  const prefetched = prefetch?.mboxes ?? [];
  const all = [...prefetched, ...(execute?.mboxes ?? [])];
  const isPrefetched = (position: number) => position >= 0 && position < prefetched.length;
  const positions = mboxes.map((mbox) => positionOf(mbox, all));
  const own = mboxes.map((mbox, at) => withIndex(mbox, all[positions[at] ?? -1]));
  if (execute?.mboxes) {
    executed.mboxes = own.filter((_, at) => !isPrefetched(positions[at] ?? -1));
  }
  delete rest.mboxes;
  if (prefetch?.mboxes) {
    rest.mboxes = own.filter((_, at) => isPrefetched(positions[at] ?? -1));
  }
  if (execute?.pageLoad && pageLoad) {
    executed.pageLoad = pageLoad;
    // Both parts get the answer of the page load when both ask for it.
    if (!prefetch?.pageLoad) {
      delete rest.pageLoad;
    }
  }
  const { prefetch: _, ...sent } = answer.request;
  answer.request = copyWith(copyWith(emptyLike(answer.request), sent), {
    ...(execute && { execute }),
    ...(prefetch && { prefetch }),
  });
  response.execute = executed;
  if (prefetch) {
    response.prefetch = rest;
  } else {
    delete response.prefetch;
  }
}

/**
 * Finds the position of an answered mbox in the list that was asked for, by its index. An answer without an index is found
 * by its name.
 */
function positionOf({ index, name }: MboxResponse, asked: readonly ResolvedMboxRequest[]): number {
  return index ?? asked.findLastIndex((mbox) => mbox.name === name);
}

function withIndex(mbox: MboxResponse, asked: ResolvedMboxRequest | undefined): MboxResponse {
  return asked ? copyWith(mbox, { index: asked.index }) : mbox;
}
