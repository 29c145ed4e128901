import type { Preview, Property, QAMode, QAModePreviewIndex } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { type Copying, copyFields, copyList, type Draft } from './copying.js';
import { toFlag, toInteger, toText } from './scalars.js';

/**
 * This file copies the tokens that change what Target decides: those of the property, of a preview and of a QA link.
 */

export function copyProperty(value: unknown, copying: Copying): Property | undefined {
  return copyFields<Property>(value, copying, copyTokenField);
}

export function copyPreview(value: unknown, copying: Copying): Preview | undefined {
  return copyFields<Preview>(value, copying, copyTokenField);
}

function copyTokenField(
  copy: Draft<Property & Preview>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'token') {
    kept = copy.token = toText(written.token);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyQAMode(value: unknown, copying: Copying): QAMode | undefined {
  return copyFields<QAMode>(value, copying, copyQAModeField);
}

function copyQAModeField(copy: Draft<QAMode>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'token') {
    kept = copy.token = toText(written.token);
  } else if (name === 'listedActivitiesOnly') {
    kept = copy.listedActivitiesOnly = toFlag(written.listedActivitiesOnly);
  } else if (name === 'evaluateAsTrueAudienceIds') {
    kept = copy.evaluateAsTrueAudienceIds = copyList(
      written.evaluateAsTrueAudienceIds,
      copying,
      toAudienceId,
    );
  } else if (name === 'evaluateAsFalseAudienceIds') {
    kept = copy.evaluateAsFalseAudienceIds = copyList(
      written.evaluateAsFalseAudienceIds,
      copying,
      toAudienceId,
    );
  } else if (name === 'previewIndexes') {
    kept = copy.previewIndexes = copyList(written.previewIndexes, copying, copyPreviewIndex);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function toAudienceId(value: unknown): number | undefined {
  return toInteger(value);
}

function copyPreviewIndex(value: unknown, copying: Copying): QAModePreviewIndex | undefined {
  return copyFields<QAModePreviewIndex>(value, copying, copyPreviewIndexField);
}

function copyPreviewIndexField(
  copy: Draft<QAModePreviewIndex>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'activityIndex') {
    kept = copy.activityIndex = toInteger(written.activityIndex, 1);
  } else if (name === 'experienceIndex') {
    kept = copy.experienceIndex = toInteger(written.experienceIndex, 1);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}
