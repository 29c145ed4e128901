import type { Application, Browser, ClientHints, MobilePlatform, Screen, Window } from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { type Copying, copyFields, type Draft, missingError } from './copying.js';
import { toFlag, toNumber, toText, toWord } from './scalars.js';

/** This file copies the parts of a request that describe the device, the app and the browser. */

export function copyMobilePlatform(value: unknown, copying: Copying): MobilePlatform | undefined {
  const copy = copyFields<MobilePlatform>(value, copying, copyMobilePlatformField);
  if (!copy) {
    return undefined;
  }
  const { deviceType, platformType } = copy;
  if (deviceType === undefined) {
    throw missingError('deviceType', value);
  }
  if (platformType === undefined) {
    throw missingError('platformType', value);
  }
  return { ...copy, deviceType, platformType };
}

function copyMobilePlatformField(
  copy: Draft<MobilePlatform>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'deviceName') {
    kept = copy.deviceName = toText(written.deviceName);
  } else if (name === 'deviceType') {
    kept = copy.deviceType = toWord(written.deviceType, ['phone', 'tablet']);
  } else if (name === 'platformType') {
    kept = copy.platformType = toWord(written.platformType, ['android', 'ios']);
  } else if (name === 'version') {
    kept = copy.version = toText(written.version, EDGE_LIMITS.MobilePlatform.version);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyApplicationField(
  copy: Draft<Application>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'id') {
    kept = copy.id = toText(written.id, EDGE_LIMITS.Application.id);
  } else if (name === 'name') {
    kept = copy.name = toText(written.name, EDGE_LIMITS.Application.name);
  } else if (name === 'version') {
    kept = copy.version = toText(written.version, EDGE_LIMITS.Application.version);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyScreenField(
  copy: Draft<Screen>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'width') {
    kept = copy.width = toNumber(written.width);
  } else if (name === 'height') {
    kept = copy.height = toNumber(written.height);
  } else if (name === 'colorDepth') {
    kept = copy.colorDepth = toNumber(written.colorDepth);
  } else if (name === 'pixelRatio') {
    kept = copy.pixelRatio = toNumber(written.pixelRatio);
  } else if (name === 'orientation') {
    kept = copy.orientation = toWord(written.orientation, ['portrait', 'landscape']);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyWindowField(
  copy: Draft<Window>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'width') {
    kept = copy.width = toNumber(written.width);
  } else if (name === 'height') {
    kept = copy.height = toNumber(written.height);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyBrowserField(
  copy: Draft<Browser>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'host') {
    kept = copy.host = toText(written.host);
  } else if (name === 'language') {
    kept = copy.language = toText(written.language);
  } else if (name === 'webGLRenderer') {
    kept = copy.webGLRenderer = toText(written.webGLRenderer);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

export function copyClientHint(
  copy: Draft<ClientHints>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'mobile') {
    kept = copy.mobile = toMobileHint(written.mobile, copying);
  } else if (name === 'model') {
    kept = copy.model = toText(written.model);
  } else if (name === 'platform') {
    kept = copy.platform = toText(written.platform);
  } else if (name === 'platformVersion') {
    kept = copy.platformVersion = toText(written.platformVersion);
  } else if (name === 'browserUAWithMajorVersion') {
    kept = copy.browserUAWithMajorVersion = toText(written.browserUAWithMajorVersion);
  } else if (name === 'browserUAWithFullVersion') {
    kept = copy.browserUAWithFullVersion = toText(written.browserUAWithFullVersion);
  } else if (name === 'architecture') {
    kept = copy.architecture = toText(written.architecture);
  } else if (name === 'bitness') {
    kept = copy.bitness = toText(written.bitness);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

/**
 * Takes a boolean, or `?1` or `?0` as the header `Sec-CH-UA-Mobile` has it. Any other text is dropped, because visitors
 * control the header.
 * @see https://wicg.github.io/ua-client-hints/#sec-ch-ua-mobile
 */
function toMobileHint(value: unknown, copying: Copying): boolean | undefined {
  if (typeof value !== 'string' || value === '' || value === 'true' || value === 'false') {
    return toFlag(value);
  }
  if (value === '?1' || value === '?0') {
    return value === '?1';
  }
  return copying.drop('a clientHints.mobile that is neither true nor false');
}
