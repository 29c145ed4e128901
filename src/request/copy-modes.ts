import type { Preview, Property, QAMode, QAModePreviewIndex, Telemetry, Trace } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyJson } from './copy-json.js';
import { type Copying, copyFields, copyList, type Draft, isAbsent } from './copying.js';
import { toFlag, toInteger, toText } from './scalars.js';

/** How the edge is to treat a request: its property, traces, activity QA, previews; and the telemetry that goes along. */

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
  if (name === 'token') kept = copy.token = toText(written.token);
  else kept = copying.dropUnknown(name);
  return kept;
}

/** An empty trace asks for one too. */
export function copyTrace(value: unknown, copying: Copying): Trace | undefined {
  if (value === undefined || value === null) return undefined;
  return copyFields<Trace>(value, copying, copyTraceField) ?? {};
}

function copyTraceField(copy: Draft<Trace>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'authorizationToken') kept = copy.authorizationToken = toText(written.authorizationToken);
  else if (name === 'usage') kept = copy.usage = copyPassedOn(written.usage) as Trace['usage'];
  else kept = copying.dropUnknown(name);
  return kept;
}

export function copyTelemetry(value: unknown, copying: Copying): Telemetry | undefined {
  return copyFields<Telemetry>(value, copying, copyTelemetryField);
}

function copyTelemetryField(
  copy: Draft<Telemetry>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'entries')
    kept = copy.entries = copyList(written.entries, copying, copyPassedOn) as Telemetry['entries'];
  else kept = copying.dropUnknown(name);
  return kept;
}

/** What the SDK only passes on is not looked at: the edge says what is wrong with it. */
function copyPassedOn(value: unknown): unknown {
  return value === undefined || value === null ? undefined : copyJson(value);
}

export function copyQAMode(value: unknown, copying: Copying): QAMode | undefined {
  return copyFields<QAMode>(value, copying, copyQAModeField);
}

function copyQAModeField(copy: Draft<QAMode>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'token') kept = copy.token = toText(written.token);
  else if (name === 'listedActivitiesOnly')
    kept = copy.listedActivitiesOnly = toFlag(written.listedActivitiesOnly);
  else if (name === 'evaluateAsTrueAudienceIds')
    kept = copy.evaluateAsTrueAudienceIds = copyList(
      written.evaluateAsTrueAudienceIds,
      copying,
      toAudienceId,
    );
  else if (name === 'evaluateAsFalseAudienceIds')
    kept = copy.evaluateAsFalseAudienceIds = copyList(
      written.evaluateAsFalseAudienceIds,
      copying,
      toAudienceId,
    );
  else if (name === 'previewIndexes')
    kept = copy.previewIndexes = copyList(written.previewIndexes, copying, copyPreviewIndex);
  else kept = copying.dropUnknown(name);
  return kept;
}

function toAudienceId(value: unknown): number | undefined {
  return toInteger(value);
}

function copyPreviewIndex(value: unknown, copying: Copying): QAModePreviewIndex | undefined {
  return isAbsent(value) ? undefined : copyFields<QAModePreviewIndex>(value, copying, copyPreviewIndexField);
}

function copyPreviewIndexField(
  copy: Draft<QAModePreviewIndex>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'activityIndex') kept = copy.activityIndex = toInteger(written.activityIndex, 1);
  else if (name === 'experienceIndex') kept = copy.experienceIndex = toInteger(written.experienceIndex, 1);
  else kept = copying.dropUnknown(name);
  return kept;
}
