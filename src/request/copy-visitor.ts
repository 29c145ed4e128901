import type {
  AnalyticsRequest,
  AudienceManager,
  AuthenticatedState,
  CustomerId,
  ExperienceCloud,
  LoggingType,
  VisitorId,
} from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { AUTHENTICATED_STATES, toAuthenticatedState } from '../identity/customer-ids.js';
import { isSupplementalDataId } from '../identity/supplemental-data-id.js';
import { isAbsent, type JsonRecord } from '../json.js';
import {
  type Copying,
  copyFields,
  copyList,
  type Draft,
  fieldsOf,
  missingError,
  withOuterPath,
  withoutGaps,
} from './copying.js';
import { toInteger, toText, toWord } from './scalars.js';

/** This file copies the ids of a visitor: Target's own, and those of other Experience Cloud products. */

const LIMITS = EDGE_LIMITS.VisitorId;

export function copyVisitorId(value: unknown, copying: Copying): VisitorId | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<VisitorId>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'tntId') {
        kept = copy.tntId = toText(written[name], LIMITS.tntId);
      } else if (name === 'marketingCloudVisitorId') {
        kept = copy.marketingCloudVisitorId = toText(written[name], LIMITS.marketingCloudVisitorId);
      } else if (name === 'thirdPartyId') {
        kept = copy.thirdPartyId = toText(written[name], LIMITS.thirdPartyId);
      } else if (name === 'customerIds') {
        kept = copy.customerIds = copyList(written[name], copying, copyCustomerId, LIMITS.customerIds);
      } else {
        kept = copying.dropUnknown(name);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}

/**
 * Copies a customer id. An entry without an id is left out, because that visitor has not logged in yet. The option
 * `customerIds` is read in the same way.
 */
function copyCustomerId(value: unknown, copying: Copying): CustomerId | undefined {
  const copy = copyFields<CustomerId>(value, copying, copyCustomerIdField);
  if (copy?.id === undefined) {
    return undefined;
  }
  const { id, integrationCode, authenticatedState = 'unknown' } = copy;
  if (integrationCode === undefined) {
    throw missingError('integrationCode', value);
  }
  return { ...copy, id, integrationCode, authenticatedState };
}

function copyCustomerIdField(
  copy: Draft<CustomerId>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'id') {
    kept = copy.id = toText(written.id, EDGE_LIMITS.CustomerId.id);
  } else if (name === 'integrationCode') {
    kept = copy.integrationCode = toText(written.integrationCode, EDGE_LIMITS.CustomerId.integrationCode);
  } else if (name === 'authenticatedState' || name === 'authState') {
    // The visitor service of Adobe calls the state `authState`. If that were overlooked, a logged-in customer would count
    // as unknown.
    const isOther = name === 'authState' && !isAbsent(written.authenticatedState);
    const state = isOther || isAbsent(written[name]) ? copy.authenticatedState : toState(written[name]);
    kept = state;
    copy.authenticatedState = state;
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function toState(given: unknown): AuthenticatedState {
  const state = toAuthenticatedState(given);
  if (state) {
    return state;
  }
  throw invalidField('', `one of ${AUTHENTICATED_STATES.join(', ')}`, given);
}

export function copyExperienceCloud(value: unknown, copying: Copying): ExperienceCloud | undefined {
  return copyFields<ExperienceCloud>(value, copying, copyExperienceCloudField);
}

function copyExperienceCloudField(
  copy: Draft<ExperienceCloud>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'analytics') {
    kept = copy.analytics = copyFields<AnalyticsRequest>(written.analytics, copying, copyAnalyticsField);
  } else if (name === 'audienceManager') {
    kept = copy.audienceManager = copyFields<AudienceManager>(
      written.audienceManager,
      copying,
      copyAudienceManagerField,
    );
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function copyAudienceManagerField(
  copy: Draft<AudienceManager>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'locationHint') {
    kept = copy.locationHint = toInteger(written.locationHint, 1);
  } else if (name === 'blob') {
    kept = copy.blob = toText(written.blob, EDGE_LIMITS.AudienceManager.blob);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

const LOGGING: readonly LoggingType[] = ['server_side', 'client_side'];

function copyAnalyticsField(
  copy: Draft<AnalyticsRequest>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'supplementalDataId') {
    kept = copy.supplementalDataId = toSupplementalDataId(written.supplementalDataId, copying);
  } else if (name === 'logging') {
    kept = copy.logging = toWord(written.logging, LOGGING);
  } else if (name === 'trackingServer') {
    kept = copy.trackingServer = toText(written.trackingServer);
  } else if (name === 'trackingServerSecure') {
    kept = copy.trackingServerSecure = toText(written.trackingServerSecure);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function toSupplementalDataId(given: unknown, copying: Copying): string | undefined {
  const id = toText(given);
  if (id === undefined || isSupplementalDataId(id)) {
    return id;
  }
  return copying.doubt(
    'the supplementalDataId is not 16 hexadecimal digits, a dash and 16 more: the visitor’s own is sent',
  );
}
