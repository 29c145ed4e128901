import type { DeliveryRequest, MboxRequest } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { copyWith, idToText, inheritsNames, isObject, isRecord, withoutInherited } from '../json.js';

/** The request, with the mboxes that it does not name yet after those that it executes. */
export function withMboxes(given: DeliveryRequest, mboxNames: readonly string[]): DeliveryRequest {
  const inherits = inheritsNames();
  const ownOf = <Type>(value: Type): Type => (inherits && isObject(value) ? withoutInherited(value) : value);
  const request = ownOf(given);
  if (!Array.isArray(mboxNames)) throw invalidField('mboxNames', 'an array of mbox names', mboxNames);
  const wrong = mboxNames.findIndex((name) => typeof name !== 'string' || name === '');
  if (wrong >= 0) throw invalidField(`mboxNames[${wrong}]`, 'the name of an mbox', mboxNames[wrong]);
  // What is malformed stays as it is, for the check of the request to name it.
  if (!canTakeMboxes(request)) return request;
  const executed = listOf(ownOf(request.execute)?.mboxes);
  const named = new Set<unknown>();
  let index = 0;
  for (const mbox of listOf(ownOf(request.prefetch)?.mboxes)) named.add(idToText(ownOf(mbox)?.name));
  executed.forEach((written, position) => {
    const mbox = ownOf(written);
    named.add(idToText(mbox?.name));
    const given: unknown = mbox?.index ?? position;
    // An index may be written as a text.
    const number = typeof given === 'string' ? Number(given) : given;
    if (typeof number === 'number' && number > index) index = number;
  });
  const mboxes = [...executed];
  for (const name of mboxNames) {
    if (named.has(name)) continue;
    named.add(name);
    index += 1;
    mboxes.push({ name, index });
  }
  if (mboxes.length === executed.length) return request;
  return copyWith(request, { execute: copyWith(request.execute ?? {}, { mboxes }) });
}

function canTakeMboxes(request: unknown): boolean {
  if (!isRecord(request)) return false;
  const { execute } = request;
  if (!isRecord(execute)) return execute === undefined || execute === null;
  const { mboxes } = execute;
  return mboxes === undefined || mboxes === null || Array.isArray(mboxes);
}

function listOf(mboxes: readonly MboxRequest[] | undefined): readonly MboxRequest[] {
  return Array.isArray(mboxes) ? mboxes : [];
}
