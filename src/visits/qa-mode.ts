import type { QAMode, QAModePreviewIndex } from '../delivery-api.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord, parseJson } from '../json.js';
import { toCookiePairs, valuesOf } from './cookie-header.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf, MAX_READ_LENGTH, queryWith } from './page-url.js';

/** The cookie in which at.js and the Web SDK keep the QA mode for the next pages. */
const QA_COOKIE_NAME = 'at_qa_mode';
const TOKEN_NAME = 'at_preview_token';
const DISABLE_NAME = 'mboxDisable';
const MAX_TOKEN_LENGTH = 1024;
const MAX_ITEMS = 100;
const INDEX = /^(\d{1,6})(?:_(\d{1,6}))?$/;

/**
 * Reads the QA mode of a request, so that the QA links of Target work on pages that a server renders. A QA link has the
 * parameters `at_preview_token`, `at_preview_index` and so on. at.js keeps them in the cookie `at_qa_mode` for the next
 * pages, which is read too. The parameters win over the cookie, and an empty `at_preview_token` or `at_qa_mode` in the
 * URL ends the QA mode. Malformed parts are left out, and without a token there is no QA mode. It never throws.
 *
 * @see https://experienceleague.adobe.com/en/docs/target/using/activities/activity-qa/activity-qa
 * @example
 * ```ts
 * const request = { qaMode: toQaMode(incoming), execute: { mboxes: [{ name: 'hero' }] } };
 * ```
 */
export function toQaMode(incoming: IncomingRequest): QAMode | undefined {
  const query = queryWith(incoming, TOKEN_NAME);
  const token = query?.get(TOKEN_NAME) ?? undefined;
  if (query && token !== undefined) {
    return toMode({
      token,
      listedActivitiesOnly: query.get('at_preview_listed_activities_only'),
      evaluateAsTrueAudienceIds: idsIn(query, 'at_preview_evaluate_as_true_audience_ids'),
      evaluateAsFalseAudienceIds: idsIn(query, 'at_preview_evaluate_as_false_audience_ids'),
      previewIndexes: query.getAll('at_preview_index').map(toIndexFields),
    });
  }
  if (queryWith(incoming, QA_COOKIE_NAME)?.get(QA_COOKIE_NAME) === '') {
    return undefined;
  }
  for (const value of cookiesOf(incoming, QA_COOKIE_NAME)) {
    const mode = toMode(fromCookie(value));
    if (mode) {
      return mode;
    }
  }
  return undefined;
}

/**
 * Tells whether a request asks for a page without Target, by `mboxDisable` as URL parameter or cookie. Adobe's editor
 * and debugger set it. The parameter wins over the cookie. It never throws.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/client-side/at-js-implementation/target-debugging-atjs
 */
export function isDisabled(incoming: IncomingRequest): boolean {
  const isOff = (value: string) => /^(?:0|false)$/i.test(value);
  const parameter = queryWith(incoming, DISABLE_NAME)?.get(DISABLE_NAME) ?? undefined;
  if (parameter !== undefined) {
    return !isOff(parameter);
  }
  return cookiesOf(incoming, DISABLE_NAME).some((value) => value !== '' && !isOff(value));
}

function cookiesOf(incoming: IncomingRequest, name: string): string[] {
  const header = headerOf(incoming, 'cookie', MAX_READ_LENGTH);
  return header?.includes(name) ? valuesOf(name, toCookiePairs(header)) : [];
}

function idsIn(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((ids) => ids.split(/[_,]/, MAX_ITEMS));
}

function toIndexFields(written: string): unknown {
  const [, activityIndex, experienceIndex] = INDEX.exec(written) ?? [];
  return { activityIndex, experienceIndex };
}

/** Reads the JSON of the cookie, which may be percent-encoded once more than cookies are. */
function fromCookie(value: string): unknown {
  try {
    return parseJson(value.startsWith('{') ? value : decodeURIComponent(value));
  } catch {
    return undefined;
  }
}

/** Makes the QA mode of fields that can be anything. */
function toMode(fields: unknown): QAMode | undefined {
  const read = (name: string) => (isRecord(fields) ? ownFieldOf(fields, name) : undefined);
  const token = read('token');
  const listedActivitiesOnly = read('listedActivitiesOnly');
  if (typeof token !== 'string' || token.trim() === '' || token.length > MAX_TOKEN_LENGTH) {
    return undefined;
  }
  const isTrue = listedActivitiesOnly === true || listedActivitiesOnly === 'true';
  const isFalse = listedActivitiesOnly === false || listedActivitiesOnly === 'false';
  const evaluateAsTrueAudienceIds = listOf(read('evaluateAsTrueAudienceIds'), toPositive);
  const evaluateAsFalseAudienceIds = listOf(read('evaluateAsFalseAudienceIds'), toPositive);
  const previewIndexes = listOf(read('previewIndexes'), toIndex);
  return {
    token,
    ...((isTrue || isFalse) && { listedActivitiesOnly: isTrue }),
    ...(evaluateAsTrueAudienceIds.length > 0 && { evaluateAsTrueAudienceIds }),
    ...(evaluateAsFalseAudienceIds.length > 0 && { evaluateAsFalseAudienceIds }),
    ...(previewIndexes.length > 0 && { previewIndexes }),
  };
}

function listOf<Item>(value: unknown, toItem: (item: unknown) => Item | undefined): Item[] {
  const items: unknown[] = Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
  return items.map(toItem).filter((item) => item !== undefined);
}

/** Reads an integer from 1, as a number or in digits. */
function toPositive(value: unknown): number | undefined {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value));
  return isNumeric && Number.isSafeInteger(Number(value)) && Number(value) >= 1 ? Number(value) : undefined;
}

/** Reads the positions of an activity and, where it is given, of an experience. */
function toIndex(value: unknown): QAModePreviewIndex | undefined {
  const fields = isRecord(value) ? value : {};
  const activityIndex = toPositive(ownFieldOf(fields, 'activityIndex'));
  const writtenExperience = ownFieldOf(fields, 'experienceIndex');
  const hasExperience = writtenExperience !== undefined && writtenExperience !== null;
  const experienceIndex = toPositive(writtenExperience);
  if (activityIndex === undefined || (hasExperience && experienceIndex === undefined)) {
    return undefined;
  }
  return experienceIndex === undefined ? { activityIndex } : { activityIndex, experienceIndex };
}
