import type { Rule } from '../../artifact.js';
import { isRecord } from '../../json.js';
import { isCopyable } from '../offers/copy-plan.js';

/**
 * Returns true for a rule that has the expected shape. A rule with another shape must not hold for every visitor, and
 * must not make a call fail.
 */
export function isRule(rule: unknown): rule is Rule {
  if (!isRecord(rule)) {
    return false;
  }
  const { propertyTokens, meta, consequence, condition } = rule;
  if (!isRecord(meta) || !isRecord(consequence) || condition === undefined) {
    return false;
  }
  const { options, metrics } = consequence;
  const isShaped = isListOf(isRecord, options) && isListOf(isRecord, metrics);
  return isShaped && isListOf(isString, propertyTokens) && isCopyable([meta, consequence]);
}

/**
 * Returns the id of a rule's activity, which the allocation of visitors needs. Some artifacts have it in the meta data
 * alone, and an empty text in its place.
 */
export function activityIdOf({ activityId, meta }: Rule): number | string | undefined {
  const isGiven = activityId !== undefined && activityId !== null && activityId !== '';
  const id = isGiven ? activityId : meta['activity.id'];
  return isId(id) ? id : undefined;
}

function isId(value: unknown): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && value !== '');
}

function isListOf(isItem: (item: unknown) => boolean, list: unknown): boolean {
  return list === undefined || list === null || (Array.isArray(list) && list.every(isItem));
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}
