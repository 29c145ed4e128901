import type { DeliveryRequest } from 'target-node-sdk';
import { type ExplainOptions, USER_AGENTS } from 'target-node-sdk/tools';
import { toShown } from './paper.js';
import { readJsonFile } from './read-artifact.js';
import { type Shell, UsageError } from './shell.js';

/** The options of the commands that decide: `explain` and `simulate`. */
export interface DecisionFlags {
  readonly mbox?: readonly string[];
  readonly view?: readonly string[];
  readonly pageLoad?: boolean;
  readonly prefetch?: boolean;
  readonly param?: readonly string[];
  readonly url?: string;
  readonly referrer?: string;
  readonly userAgent?: string;
  readonly browser?: string;
  readonly geo?: readonly string[];
  readonly tntId?: string;
  readonly ecid?: string;
  readonly thirdPartyId?: string;
  readonly cookie?: string;
  readonly client?: string;
  readonly property?: string;
  readonly allMatching?: readonly string[];
  readonly now?: string;
  readonly options?: string;
  readonly organization?: string;
  readonly json?: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The fields of a place, by the words that people may write. */
const GEO_NAMES: Readonly<Record<string, string>> = {
  country: 'countryCode',
  countryCode: 'countryCode',
  region: 'stateCode',
  state: 'stateCode',
  stateCode: 'stateCode',
  city: 'city',
  zip: 'zip',
  latitude: 'latitude',
  longitude: 'longitude',
  ip: 'ipAddress',
  ipAddress: 'ipAddress',
};
const NUMBERS = new Set(['latitude', 'longitude']);
/** The forms of codes, as a look-up of the place of an address gives them. */
const CODES: Readonly<Record<string, { readonly form: RegExp; readonly words: string }>> = {
  countryCode: { form: /^[A-Z]{2}$/, words: 'two capitals, such as DE' },
  stateCode: { form: /^[A-Z0-9]{1,3}$/, words: 'one to three capitals or digits, such as CA' },
};

/** Makes the options of `explain` of a file with options and of flags, which win over it. */
export async function toExplainOptions(flags: DecisionFlags, shell: Shell): Promise<ExplainOptions> {
  const file = flags.options === undefined ? {} : await readOptions(flags.options, shell);
  const request = toRequest(flags, isObject(file.request) ? file.request : {});
  noteCodes(flags, shell);
  const given = {
    ...(flags.cookie !== undefined && { targetCookie: flags.cookie }),
    ...(flags.client !== undefined && { client: flags.client }),
    ...(flags.property !== undefined && { propertyToken: flags.property }),
    ...(flags.allMatching && { allMatchingMboxes: flags.allMatching }),
  };
  const now = flags.now === undefined ? (file.now ?? shell.now()) : toTime(flags.now);
  // The tools check every option and every field of the request, and name those that are wrong.
  return { ...file, ...given, now, request } as ExplainOptions;
}

/** Reads a time: ISO 8601, or ms since 1970. */
export function toTime(written: string): number {
  const ms = /^\d+$/.test(written) ? Number(written) : Date.parse(written);
  if (Number.isNaN(new Date(ms).getTime())) {
    throw new UsageError(`--now is no time: write it like 2026-11-30T09:00:00Z`);
  }
  return ms;
}

/** Reads a whole number. */
export function toNumber(flag: string, written: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(written)) {
    throw new UsageError(`${flag} is no number: write digits, such as ${flag} 5000`);
  }
  return Number(written);
}

/** Splits `name=value`. A name may hold the sign too, where the value cannot. */
export function toPair(flag: string, written: string, isLast = false): [name: string, value: string] {
  const at = isLast ? written.lastIndexOf('=') : written.indexOf('=');
  if (at < 1) {
    throw new UsageError(`${flag} needs a name and a value: write ${flag} name=value`);
  }
  return [written.slice(0, at), written.slice(at + 1)];
}

/**
 * Splits each `name=value` of a flag that may be repeated.
 * @throws {UsageError} for a name that is given twice, because one of its values would be lost.
 */
export function toPairs(
  flag: string,
  written: readonly string[],
  isLast = false,
): [name: string, value: string][] {
  const pairs = written.map((one) => toPair(flag, one, isLast));
  checkNames(flag, pairs);
  return pairs;
}

function checkNames(flag: string, pairs: readonly (readonly [name: string, value: unknown])[]): void {
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    throw new UsageError(`${flag} names ${twice} twice: give each name once`);
  }
}

async function readOptions(path: string, shell: Shell): Promise<JsonObject> {
  const value = await readJsonFile(path, shell);
  if (!isObject(value)) {
    throw new UsageError(`${path} holds no options: write a JSON object such as {"request": {…}}`);
  }
  return value;
}

function toRequest(flags: DecisionFlags, file: JsonObject): DeliveryRequest {
  const asked = toAsked(flags);
  const { execute, prefetch, ...rest } = file;
  if (!asked && !execute && !prefetch) {
    throw new UsageError('nothing is asked: give --mbox name, --view name or --page-load');
  }
  const locations = asked ?? {
    ...(execute !== undefined && { execute }),
    ...(prefetch !== undefined && { prefetch }),
  };
  const context = toContext(flags, isObject(file.context) ? file.context : {});
  const id = {
    ...(isObject(file.id) && file.id),
    ...(flags.tntId !== undefined && { tntId: flags.tntId }),
    ...(flags.ecid !== undefined && { marketingCloudVisitorId: flags.ecid }),
    ...(flags.thirdPartyId !== undefined && { thirdPartyId: flags.thirdPartyId }),
  };
  return { ...rest, ...(Object.keys(id).length > 0 && { id }), context, ...locations } as DeliveryRequest;
}

/** Returns the locations that flags ask for. Views exist only in a prefetch. */
function toAsked(flags: DecisionFlags): JsonObject | undefined {
  const { mbox = [], view = [], pageLoad } = flags;
  if (mbox.length + view.length === 0 && !pageLoad) {
    if (flags.param || flags.prefetch) {
      const flag = flags.param ? '--param' : '--prefetch';
      throw new UsageError(`${flag} is for no place: give --mbox name, --view name or --page-load too`);
    }
    return undefined;
  }
  const pairs = toPairs('--param', flags.param ?? []);
  const parameters = pairs.length > 0 ? { parameters: Object.fromEntries(pairs) } : {};
  const content = {
    ...(mbox.length > 0 && { mboxes: mbox.map((name, index) => ({ index, name, ...parameters })) }),
    ...(pageLoad && { pageLoad: parameters }),
  };
  const views = view.map((name) => ({ name, ...parameters }));
  if (flags.prefetch) {
    return { prefetch: { ...content, ...(views.length > 0 && { views }) } };
  }
  return {
    ...(Object.keys(content).length > 0 && { execute: content }),
    ...(views.length > 0 && { prefetch: { views } }),
  };
}

function toContext(flags: DecisionFlags, file: JsonObject): JsonObject {
  const address = {
    ...(flags.url !== undefined && { url: flags.url }),
    ...(flags.referrer !== undefined && { referringUrl: flags.referrer }),
  };
  const geo = (flags.geo ?? []).map(toGeo);
  checkNames('--geo', geo);
  const userAgent = toUserAgent(flags);
  return {
    channel: 'web',
    ...file,
    ...(Object.keys(address).length > 0 && {
      address: { ...(isObject(file.address) && file.address), ...address },
    }),
    ...(userAgent !== undefined && { userAgent }),
    ...(flags.geo && { geo: { ...(isObject(file.geo) && file.geo), ...Object.fromEntries(geo) } }),
  };
}

/** Returns the user agent, which `--browser` is a short way for. */
function toUserAgent({ browser, userAgent }: DecisionFlags): string | undefined {
  if (browser === undefined) {
    return userAgent;
  }
  if (userAgent !== undefined) {
    throw new UsageError('--browser stands for a user agent: give --browser or --user-agent, and not both');
  }
  const name = browser.toLowerCase();
  const found = Object.entries(USER_AGENTS).find(([known]) => known === name)?.[1];
  if (found === undefined) {
    const known = Object.keys(USER_AGENTS).join(', ');
    throw new UsageError(`--browser knows ${known}: give any other one as --user-agent`);
  }
  return found;
}

/** Says that a code has another form than rules compare with. It is used as it is, because rules may have names too. */
function noteCodes({ geo = [] }: DecisionFlags, { err, env }: Shell): void {
  for (const written of geo) {
    const [field, value] = toGeo(written);
    const code = CODES[field];
    if (code && !code.form.test(String(value))) {
      const note = `--geo ${written} is used as it is, but most rules compare codes: ${code.words}`;
      err.write(`target-node-sdk: ${toShown(note, env)}\n`);
    }
  }
}

function toGeo(written: string): [string, string | number] {
  const [name, value] = toPair('--geo', written);
  const field = Object.hasOwn(GEO_NAMES, name) ? GEO_NAMES[name] : undefined;
  if (field === undefined) {
    throw new UsageError('--geo knows country, region, city, zip, latitude, longitude and ip');
  }
  return [field, NUMBERS.has(field) ? toNumber(`--geo ${field}`, value) : value];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
