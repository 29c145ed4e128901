import type { PrefetchRequest, RequestDetails, ResolvedMboxRequest, ViewRequest } from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import { isAbsent, type JsonRecord } from '../json.js';
import { copyDetail } from './copy-details.js';
import {
  type Copying,
  copyFields,
  copyList,
  type Draft,
  fieldsOf,
  toWrittenList,
  withOuterPath,
  withoutGaps,
} from './copying.js';
import { toInteger, toText } from './scalars.js';

/** This file copies the parts of a request that ask for offers: page loads, mboxes and views. */

/** The copy of `execute` or `prefetch`. Only `prefetch` has views. */
export interface CopiedLocations extends PrefetchRequest {
  readonly mboxes?: readonly ResolvedMboxRequest[];
}

type NamedMbox = Draft<ResolvedMboxRequest> & { name: string };

const MAX_INDEX = EDGE_LIMITS.MboxRequest.index;
const MIN_INDEX = -MAX_INDEX - 1;

export function copyLocations(
  value: unknown,
  copying: Copying,
  mayHaveViews: boolean,
): Draft<CopiedLocations> | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<CopiedLocations>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'mboxes') {
        kept = copy.mboxes = copyMboxes(written[name], copying);
      } else if (name === 'pageLoad') {
        kept = copy.pageLoad = copyPageLoad(written[name], copying);
      } else if (name === 'views' && mayHaveViews) {
        kept = copy.views = copyList(written[name], copying, copyView);
      } else {
        kept = copying.dropUnknown(name);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}

/**
 * Copies mboxes. An mbox without a name is dropped. An mbox without an index gets its position in the list, or the next
 * number that no other mbox has.
 */
function copyMboxes(value: unknown, copying: Copying): ResolvedMboxRequest[] | undefined {
  const written = toWrittenList(value);
  if (!written) {
    return undefined;
  }
  let copies: NamedMbox[] | undefined;
  let indexed = 0;
  let position = 0;
  try {
    for (; position < written.length; position += 1) {
      const item = written[position];
      const copy = isAbsent(item) ? undefined : copyMbox(item, copying, position);
      if (!copy) {
        continue;
      }
      if (copy.index !== undefined) {
        indexed += 1;
      }
      // Pushing to an empty list reserves memory for many items, and most lists have one mbox.
      if (copies) {
        copies.push(copy);
      } else {
        copies = [copy];
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, `[${position}]`, written, String(position));
  }
  if (copies && indexed < copies.length) {
    number(copies, indexed > 0);
  }
  return copies as ResolvedMboxRequest[] | undefined;
}

function number(mboxes: readonly NamedMbox[], someHaveIndex: boolean): void {
  const taken = someHaveIndex ? new Set(mboxes.map(({ index }) => index)) : undefined;
  let position = -1;
  for (const mbox of mboxes) {
    position += 1;
    if (mbox.index !== undefined) {
      continue;
    }
    let index = position;
    while (taken?.has(index)) {
      index += 1;
    }
    taken?.add(index);
    mbox.index = index;
  }
}

function copyMbox(value: unknown, copying: Copying, position: number): NamedMbox | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<ResolvedMboxRequest>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'name') {
        kept = copy.name = toText(written[name]);
      } else if (name === 'index') {
        kept = copy.index = toInteger(written[name], MIN_INDEX, MAX_INDEX);
      } else {
        kept = copyDetail(copy, name, written, copying);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  const whole = hasGaps ? withoutGaps(copy, copying) : copy;
  if (whole && hasName(whole)) {
    return whole;
  }
  copying.drop(`the mbox at position ${position}, which has no name`);
  return undefined;
}

function hasName(mbox: Draft<ResolvedMboxRequest>): mbox is NamedMbox {
  return mbox.name !== undefined;
}

/** Copies a page load. An empty page load is kept, because it asks for offers. `true` stands for an empty one. */
function copyPageLoad(value: unknown, copying: Copying): RequestDetails | undefined {
  if (typeof value === 'boolean') {
    return value ? {} : undefined;
  }
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<RequestDetails>();
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (copyDetail(copy, name, written, copying) === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps ? (withoutGaps(copy, copying) ?? {}) : copy;
}

/** Copies a view. An empty view is kept, because a view without a name asks for all views. */
function copyView(value: unknown, copying: Copying): ViewRequest | undefined {
  return copyFields<ViewRequest>(value, copying, copyViewField) ?? {};
}

function copyViewField(
  copy: Draft<ViewRequest>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'name') {
    kept = copy.name = toText(written.name, EDGE_LIMITS.ViewRequest.name);
  } else if (name === 'key') {
    kept = copy.key = toText(written.key, EDGE_LIMITS.ViewRequest.key);
  } else {
    kept = copyDetail(copy, name, written, copying);
  }
  return kept;
}
