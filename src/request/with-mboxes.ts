import { invalidField, TargetError, unreadableError } from '../errors.js';
import { copyWith, ownOf } from '../inherited-names.js';
import { idToText, isAbsent, isRecord, itemsOf, type JsonRecord } from '../json.js';
import type { DeliveryRequest } from './loose-request.js';

/**
 * Returns the request with an mbox for each name added to `execute`. A name that the request already has is not added.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong name, or when no name is given and the request asks
 * for nothing.
 */
export function withMboxes(given: DeliveryRequest, mboxNames: readonly string[]): DeliveryRequest {
  const request = ownOf(given);
  const names = readNames(mboxNames);
  if (names.length === 0 && !asksForSomething(request)) {
    throw noNamesError(mboxNames);
  }
  // A malformed request is returned as it is. The check of the request names the fault later.
  if (!canTakeMboxes(request)) {
    return request;
  }
  const executed = listOf(ownOf(request.execute)?.mboxes);
  const named = new Set<unknown>();
  let index = 0;
  for (const mbox of listOf(ownOf(request.prefetch)?.mboxes)) {
    named.add(idToText(ownOf(mbox)?.name));
  }
  executed.forEach((written, position) => {
    const mbox = ownOf(written);
    named.add(idToText(mbox?.name));
    const given: unknown = mbox?.index ?? position;
    // An index may be written as a text.
    const number = typeof given === 'string' ? Number(given) : given;
    if (typeof number === 'number' && number > index) {
      index = number;
    }
  });
  const mboxes = [...executed];
  for (const name of names) {
    if (named.has(name)) {
      continue;
    }
    named.add(name);
    index += 1;
    mboxes.push({ name, index });
  }
  if (mboxes.length === executed.length) {
    return request;
  }
  return copyWith(request, { execute: copyWith(request.execute || {}, { mboxes }) });
}

/**
 * Reads the names of mboxes. All that it reads is the caller's, so an error that is not of this package comes from a
 * getter, a proxy or a `toJSON` of the caller.
 */
function readNames(mboxNames: unknown): readonly string[] {
  try {
    return toNames(mboxNames);
  } catch (thrown) {
    if (thrown instanceof TargetError) {
      throw thrown;
    }
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'mboxNames', thrown);
  }
}

/** Checks the names of mboxes. A number counts as a name, and empty entries are left out, as in a request. */
function toNames(mboxNames: unknown): readonly string[] {
  if (!Array.isArray(mboxNames)) {
    throw invalidField('mboxNames', 'an array of mbox names', mboxNames);
  }
  if (mboxNames.every((name) => typeof name === 'string' && name !== '')) {
    return mboxNames;
  }
  const names: string[] = [];
  for (const [position, name] of itemsOf(mboxNames).entries()) {
    if (isAbsent(name)) {
      continue;
    }
    const text = idToText(name);
    if (text === undefined) {
      throw invalidField(`mboxNames[${position}]`, 'the name of an mbox', name);
    }
    names.push(text);
  }
  return names;
}

function asksForSomething({ execute, prefetch, notifications }: DeliveryRequest): boolean {
  return Boolean(
    execute || prefetch || (Array.isArray(notifications) ? notifications.length > 0 : notifications),
  );
}

function noNamesError(mboxNames: readonly unknown[]): TargetError {
  if (mboxNames.length > 0) {
    return invalidField('mboxNames[0]', 'the name of an mbox', mboxNames[0]);
  }
  return invalidField('mboxNames', 'an array of at least one mbox name', mboxNames);
}

function canTakeMboxes(request: unknown): boolean {
  if (!isRecord(request) || !['prefetch', 'notifications'].every((part) => isCopied(request, part))) {
    return false;
  }
  const { execute } = request;
  if (!isRecord(execute)) {
    return isAbsent(execute);
  }
  const { mboxes } = execute;
  return isAbsent(mboxes) || Array.isArray(mboxes);
}

/** Tells whether a copy of a request has a part too, if the request has it. A getter of a class is not copied. */
function isCopied(request: JsonRecord, part: string): boolean {
  return !request[part] || Object.prototype.propertyIsEnumerable.call(request, part);
}

/** An mbox of a list that is not checked yet. */
type LooseMbox = { readonly name?: unknown; readonly index?: unknown } | null | undefined;

function listOf(mboxes: unknown): readonly LooseMbox[] {
  return Array.isArray(mboxes) ? mboxes : [];
}
