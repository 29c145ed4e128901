import type { Rule } from '../../artifact.js';
import { isRecord } from '../../json.js';
import { isCopyable } from '../offers/copy-plan.js';

/**
 * Returns true for a rule that has the expected shape. A rule with another shape must neither hold for every visitor
 * nor make a call fail.
 */
export function isRule(rule: unknown): rule is Rule {
  if (!isRecord(rule)) return false;
  const { activityId, propertyTokens, meta, consequence, condition } = rule;
  if (!isRecord(meta) || !isRecord(consequence) || condition === undefined) return false;
  if (typeof activityId !== 'string' && typeof activityId !== 'number') return false;
  const { options, metrics } = consequence;
  const isShaped = isListOf(isRecord, options) && isListOf(isRecord, metrics);
  return isShaped && isListOf(isString, propertyTokens) && isCopyable([meta, consequence]);
}

function isListOf(isItem: (item: unknown) => boolean, list: unknown): boolean {
  return list === undefined || list === null || (Array.isArray(list) && list.every(isItem));
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}
