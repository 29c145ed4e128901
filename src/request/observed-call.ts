import { DECISIONING_METHODS } from '../config/config.js';
import type { DecisioningMethod } from '../delivery-api.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';
import type { ObservedCall, ObservedOperation } from '../observer.js';

/** The parts of a request that name mboxes. */
const PARTS = ['execute', 'prefetch'] as const;

/** Makes the call that observers see, of options that nobody could read or accept. */
export function toObservedCall(
  operation: ObservedOperation,
  options: unknown,
  usualMethod: DecisioningMethod,
): ObservedCall {
  const named = operation === 'sendNotifications' ? 'server-side' : namedMethodOf(options);
  return {
    operation,
    decisioningMethod: named ?? usualMethod,
    mboxes: mboxNamesOf(fieldOf(options, 'request')),
  };
}

/** Returns the decisioning method that the options of a call name. They are not checked yet, so anything may be in them. */
export function namedMethodOf(options: unknown): DecisioningMethod | undefined {
  const named = fieldOf(options, 'decisioningMethod');
  return DECISIONING_METHODS.find((method) => method === named);
}

/** Returns the names of the mboxes that a request asks for or reports. The request is not checked yet. */
export function mboxNamesOf(request: unknown): string[] {
  const asked = PARTS.flatMap((part) => itemsIn(fieldOf(request, part), 'mboxes'));
  const reported = itemsIn(request, 'notifications').map((item) => fieldOf(item, 'mbox'));
  const names = [...asked, ...reported].map((mbox) => fieldOf(mbox, 'name'));
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

function itemsIn(source: unknown, name: string): readonly unknown[] {
  const items = fieldOf(source, name);
  return Array.isArray(items) ? items : [];
}

/** Reads a field of an object of the caller. A field that cannot be read is absent: the check of the call names it. */
function fieldOf(source: unknown, name: string): unknown {
  try {
    return isObject(source) ? ownFieldOf(source, name) : undefined;
  } catch {
    return undefined;
  }
}
