import type {
  Application,
  Browser,
  ChannelType,
  ClientHints,
  Context,
  Screen,
  Window,
} from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyAddress } from './copy-details.js';
import {
  copyApplicationField,
  copyBrowserField,
  copyClientHint,
  copyMobilePlatform,
  copyScreenField,
  copyWindowField,
} from './copy-device.js';
import { copyGeo } from './copy-geo.js';
import { type Copying, copyFields, type Draft, fieldsOf, withOuterPath, withoutGaps } from './copying.js';
import { toFlag, toNumber, toText, toWord } from './scalars.js';

/**
 * This file copies the context of a request. It describes the page, the device, the browser and where the visitor is.
 */

const CHANNELS: readonly ChannelType[] = ['web', 'mobile'];

/**
 * Copies the context. An empty context stays an empty object, because only a missing one gets the time offset of this
 * server.
 */
export function copyContext(value: unknown, copying: Copying): Context | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<Context>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'channel') {
        kept = copy.channel = toWord(written[name], CHANNELS);
      } else if (name === 'address') {
        kept = copy.address = copyAddress(written[name], copying);
      } else if (name === 'userAgent') {
        kept = copy.userAgent = toText(written[name]);
      } else {
        kept = copyRareField(copy, name, written, copying);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps ? (withoutGaps(copy, copying) ?? {}) : copy;
}

function copyRareField(copy: Draft<Context>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'geo') {
    kept = copy.geo = copyGeo(written.geo, copying);
  } else if (name === 'clientHints') {
    kept = copy.clientHints = copyFields<ClientHints>(written.clientHints, copying, copyClientHint);
  } else if (name === 'timeOffsetInMinutes') {
    kept = copy.timeOffsetInMinutes = toNumber(written.timeOffsetInMinutes);
  } else if (name === 'beacon') {
    kept = copy.beacon = toFlag(written.beacon);
  } else if (name === 'browser') {
    kept = copy.browser = copyFields<Browser>(written.browser, copying, copyBrowserField);
  } else if (name === 'screen') {
    kept = copy.screen = copyFields<Screen>(written.screen, copying, copyScreenField);
  } else if (name === 'window') {
    kept = copy.window = copyFields<Window>(written.window, copying, copyWindowField);
  } else if (name === 'application') {
    kept = copy.application = copyFields<Application>(written.application, copying, copyApplicationField);
  } else if (name === 'mobilePlatform') {
    kept = copy.mobilePlatform = copyMobilePlatform(written.mobilePlatform, copying);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}
