import type { Telemetry, Trace } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyJson } from './copy-json.js';
import { type Copying, copyFields, copyList, type Draft } from './copying.js';
import { toText } from './scalars.js';

/** This file copies the trace settings and the telemetry of a request. */

/** Copies the trace settings. An empty object is kept, because on-device decisions can be traced without a token. */
export function copyTrace(value: unknown, copying: Copying): Trace | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  return copyFields<Trace>(value, copying, copyTraceField) ?? {};
}

function copyTraceField(copy: Draft<Trace>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'authorizationToken') {
    kept = copy.authorizationToken = toText(written.authorizationToken);
  } else if (name === 'usage') {
    kept = copy.usage = copyPassedOn(written.usage) as Trace['usage'];
  } else {
    kept = copying.dropUnknown(name);
  }
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
  if (name === 'entries') {
    kept = copy.entries = copyList(written.entries, copying, copyPassedOn) as Telemetry['entries'];
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

/** Copies a value as it is. The SDK only passes it on, and the edge refuses it when it is wrong. */
function copyPassedOn(value: unknown): unknown {
  return value === undefined || value === null ? undefined : copyJson(value);
}
