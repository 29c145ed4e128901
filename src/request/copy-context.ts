import { isIp } from '#platform';
import type {
  Application,
  Browser,
  ChannelType,
  ClientHints,
  Context,
  Geo,
  MobilePlatform,
  Screen,
  Window,
} from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyAddress } from './copy-details.js';
import {
  type Copying,
  copyFields,
  type Draft,
  fieldsOf,
  missingError,
  outward,
  withoutGaps,
} from './copying.js';
import { UNKNOWN_IP_ADDRESS } from './edge-limits.js';
import { toFlag, toNumber, toText, toWord, toWordInAnyCase } from './scalars.js';

/** This file copies the context of a request: the page, the device, the browser and the place. */

const CHANNELS: readonly ChannelType[] = ['web', 'mobile'];

/** Copies the context. An empty one is kept, because a missing one gets the server's time offset instead. */
export function copyContext(value: unknown, copying: Copying): Context | undefined {
  const written = fieldsOf(value, copying);
  if (!written) return undefined;
  const copy = copying.newCopy<Context>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'channel') kept = copy.channel = toWordInAnyCase(written[name], CHANNELS);
      else if (name === 'address') kept = copy.address = copyAddress(written[name], copying);
      else if (name === 'userAgent') kept = copy.userAgent = toText(written[name]);
      else kept = copyRareField(copy, name, written, copying);
      if (kept === undefined) hasGaps = true;
    }
  } catch (thrown) {
    throw outward(thrown, field);
  }
  return hasGaps ? (withoutGaps(copy, copying) ?? {}) : copy;
}

function copyRareField(copy: Draft<Context>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'geo') kept = copy.geo = copyFields<Geo>(written.geo, copying, copyGeoField);
  else if (name === 'clientHints')
    kept = copy.clientHints = copyFields<ClientHints>(written.clientHints, copying, copyClientHint);
  else if (name === 'timeOffsetInMinutes')
    kept = copy.timeOffsetInMinutes = toNumber(written.timeOffsetInMinutes);
  else if (name === 'beacon') kept = copy.beacon = toFlag(written.beacon);
  else if (name === 'browser')
    kept = copy.browser = copyFields<Browser>(written.browser, copying, copyBrowserField);
  else if (name === 'screen')
    kept = copy.screen = copyFields<Screen>(written.screen, copying, copyScreenField);
  else if (name === 'window')
    kept = copy.window = copyFields<Window>(written.window, copying, copyWindowField);
  else if (name === 'application')
    kept = copy.application = copyFields<Application>(written.application, copying, copyApplicationField);
  else if (name === 'mobilePlatform')
    kept = copy.mobilePlatform = copyMobilePlatform(written.mobilePlatform, copying);
  else kept = copying.dropUnknown(name);
  return kept;
}

function copyMobilePlatform(value: unknown, copying: Copying): MobilePlatform | undefined {
  const copy = copyFields<MobilePlatform>(value, copying, copyMobilePlatformField);
  if (!copy) return undefined;
  const { deviceType, platformType } = copy;
  if (deviceType === undefined) throw missingError('deviceType', value);
  if (platformType === undefined) throw missingError('platformType', value);
  return { ...copy, deviceType, platformType };
}

function copyMobilePlatformField(
  copy: Draft<MobilePlatform>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'deviceName') kept = copy.deviceName = toText(written.deviceName);
  else if (name === 'deviceType') kept = copy.deviceType = toWord(written.deviceType, ['phone', 'tablet']);
  else if (name === 'platformType')
    kept = copy.platformType = toWord(written.platformType, ['android', 'ios']);
  else if (name === 'version')
    kept = copy.version = toText(written.version, EDGE_LIMITS.MobilePlatform.version);
  else kept = copying.dropUnknown(name);
  return kept;
}

function copyApplicationField(
  copy: Draft<Application>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'id') kept = copy.id = toText(written.id, EDGE_LIMITS.Application.id);
  else if (name === 'name') kept = copy.name = toText(written.name, EDGE_LIMITS.Application.name);
  else if (name === 'version') kept = copy.version = toText(written.version, EDGE_LIMITS.Application.version);
  else kept = copying.dropUnknown(name);
  return kept;
}

function copyScreenField(copy: Draft<Screen>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'width') kept = copy.width = toNumber(written.width);
  else if (name === 'height') kept = copy.height = toNumber(written.height);
  else if (name === 'colorDepth') kept = copy.colorDepth = toNumber(written.colorDepth);
  else if (name === 'pixelRatio') kept = copy.pixelRatio = toNumber(written.pixelRatio);
  else if (name === 'orientation')
    kept = copy.orientation = toWord(written.orientation, ['portrait', 'landscape']);
  else kept = copying.dropUnknown(name);
  return kept;
}

function copyWindowField(copy: Draft<Window>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'width') kept = copy.width = toNumber(written.width);
  else if (name === 'height') kept = copy.height = toNumber(written.height);
  else kept = copying.dropUnknown(name);
  return kept;
}

function copyBrowserField(
  copy: Draft<Browser>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'host') kept = copy.host = toText(written.host);
  else if (name === 'language') kept = copy.language = toText(written.language);
  else if (name === 'webGLRenderer') kept = copy.webGLRenderer = toText(written.webGLRenderer);
  else kept = copying.dropUnknown(name);
  return kept;
}

/** Copies a field of a place. Names may be too long for the edge here: on-device rules know them, and `toSentContext` removes them. */
function copyGeoField(copy: Draft<Geo>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'ipAddress') kept = copy.ipAddress = toIpAddress(written.ipAddress, copying);
  else if (name === 'latitude') kept = copy.latitude = toNumber(written.latitude);
  else if (name === 'longitude') kept = copy.longitude = toNumber(written.longitude);
  else if (name === 'countryCode') kept = copy.countryCode = toText(written.countryCode);
  else if (name === 'stateCode') kept = copy.stateCode = toText(written.stateCode);
  else if (name === 'city') kept = copy.city = toText(written.city);
  else if (name === 'zip') kept = copy.zip = toText(written.zip);
  else kept = copying.dropUnknown(name);
  return kept;
}

/**
 * This prefix stands before an IPv4 address that is written as an IPv6 address. Sockets that listen to both report it so.
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2
 */
const MAPPED = /^::ffff:(?=\d)/i;

/** Drops an address that is none: geography is a guess, and no reason to fail. */
function toIpAddress(value: unknown, copying: Copying): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') {
    const address = value.replace(MAPPED, '');
    if (isIp(address) === 4) return address;
    if (value === UNKNOWN_IP_ADDRESS || isIp(value) !== 0) return value;
  }
  return copying.drop('an ipAddress that is not an IP address');
}

function copyClientHint(
  copy: Draft<ClientHints>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'mobile') kept = copy.mobile = toMobileHint(written.mobile, copying);
  else if (name === 'model') kept = copy.model = toText(written.model);
  else if (name === 'platform') kept = copy.platform = toText(written.platform);
  else if (name === 'platformVersion') kept = copy.platformVersion = toText(written.platformVersion);
  else if (name === 'browserUAWithMajorVersion')
    kept = copy.browserUAWithMajorVersion = toText(written.browserUAWithMajorVersion);
  else if (name === 'browserUAWithFullVersion')
    kept = copy.browserUAWithFullVersion = toText(written.browserUAWithFullVersion);
  else if (name === 'architecture') kept = copy.architecture = toText(written.architecture);
  else if (name === 'bitness') kept = copy.bitness = toText(written.bitness);
  else kept = copying.dropUnknown(name);
  return kept;
}

/**
 * Takes the header's own form too (`Sec-CH-UA-Mobile: ?1`). Visitors control the header, so any other text is dropped.
 * @see https://wicg.github.io/ua-client-hints/#sec-ch-ua-mobile
 */
function toMobileHint(value: unknown, copying: Copying): boolean | undefined {
  if (typeof value !== 'string' || value === '' || value === 'true' || value === 'false')
    return toFlag(value);
  if (value === '?1' || value === '?0') return value === '?1';
  return copying.drop('a clientHints.mobile that is neither true nor false');
}
