import { isRecord, type JsonRecord } from '../json.js';

const RESPONSE_FIELDS = [
  'status',
  'requestId',
  'id',
  'client',
  'edgeHost',
  'execute',
  'prefetch',
  'notifications',
];

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** What is wrong with the shape of an answer, as far as the SDK itself looks into it; unknown fields pass. */
export function faultOfAnswer(parsed: unknown): string | undefined {
  if (!isRecord(parsed)) return 'not an object';
  if (!hasAnyField(parsed)) return 'no field of a delivery response';
  const { status, id, edgeHost, execute, prefetch, notifications } = parsed;
  if (!isAbsent(status) && typeof status !== 'number') return 'status is not a number';
  if (!isAbsent(id) && !isRecord(id)) return 'id is not an object';
  if (isRecord(id) && !isAbsent(id.tntId) && typeof id.tntId !== 'string') return 'id.tntId is not a string';
  if (!isAbsent(edgeHost) && typeof edgeHost !== 'string') return 'edgeHost is not a string';
  if (!isAbsent(notifications) && !isListOfObjects(notifications))
    return 'notifications is not a list of objects';
  return faultOfLocations('execute', execute) ?? faultOfLocations('prefetch', prefetch);
}

function hasAnyField(parsed: JsonRecord): boolean {
  for (const field of RESPONSE_FIELDS) if (!isAbsent(parsed[field])) return true;
  return false;
}

const LISTS = ['mboxes', 'views'];

function faultOfLocations(name: string, part: unknown): string | undefined {
  if (isAbsent(part)) return undefined;
  if (!isRecord(part)) return `${name} is not an object`;
  for (const list of LISTS) {
    const locations = part[list];
    if (isAbsent(locations)) continue;
    if (!isListOfObjects(locations)) return `${name}.${list} is not a list of objects`;
    if (!locations.every(isNamed)) return `a name in ${name}.${list} is not a string`;
    if (!locations.every(hasOptions)) return `the options in ${name}.${list} are not lists of objects`;
  }
  const { pageLoad } = part;
  if (!isAbsent(pageLoad) && !(isRecord(pageLoad) && hasOptions(pageLoad)))
    return `${name}.pageLoad is malformed`;
  return undefined;
}

function isNamed({ name }: JsonRecord): boolean {
  return isAbsent(name) || typeof name === 'string';
}

function hasOptions({ options }: JsonRecord): boolean {
  return isAbsent(options) || isListOfObjects(options);
}

function isListOfObjects(value: unknown): value is JsonRecord[] {
  return Array.isArray(value) && value.every(isRecord);
}
