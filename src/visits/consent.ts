import { invalidOption } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import type { Logger } from '../logger.js';
import { askOption } from './ask-option.js';
import { toCookiePairs, valuesOf } from './cookie-header.js';
import { amcvNames } from './ecid-cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf, MAX_READ_LENGTH } from './page-url.js';
import type { Consent, VisitOptions } from './visit-options.js';

/** The consent of a visit. It never changes. */
export interface VisitConsent {
  readonly granted: boolean;
  /** True when the answer deletes Target's cookies in the browser. */
  readonly forget: boolean;
}

const GRANTED: VisitConsent = Object.freeze({ granted: true, forget: false });
const REFUSED: VisitConsent = Object.freeze({ granted: false, forget: false });
const WITHDRAWN: VisitConsent = Object.freeze({ granted: false, forget: true });

/** Reads the consent of a visit from its option. An answer that is not clearly a consent is none. */
export function toConsent(
  option: VisitOptions['consent'],
  incoming: IncomingRequest,
  logger: Logger,
): VisitConsent {
  if (option === undefined || option === null || option === true) {
    return GRANTED;
  }
  if (typeof option !== 'function') {
    return fromAnswer(option);
  }
  const answer = askOption('consent', () => option(incoming), logger);
  return askOption('consent', () => fromAnswer(answer), logger) ?? REFUSED;
}

/** Reads an answer. The function of a program without types can return anything. */
function fromAnswer(answer: Consent | undefined): VisitConsent {
  if (answer === undefined || answer === null || answer === false) {
    return REFUSED;
  }
  if (answer === true) {
    return GRANTED;
  }
  const granted = isRecord(answer) ? ownFieldOf(answer, 'granted') : undefined;
  if (!isRecord(answer) || typeof granted !== 'boolean') {
    throw invalidOption('the answer of consent', 'a boolean or { granted: boolean }', answer);
  }
  if (granted) {
    return GRANTED;
  }
  return ownFieldOf(answer, 'forget') === true ? WITHDRAWN : REFUSED;
}

/** Matches an opt-out in the value of an AMCV cookie, whose bars may still be percent-encoded. */
const OPT_OUT = /MCOPTOUT(?:-\d{1,15}s?)?(?:\||%7C)(?!NONE\b|%|\||$)/i;

/**
 * Tells whether a visitor has opted out of Experience Cloud. The AMCV cookie of the organization has the field
 * `MCOPTOUT` then, with another value than `NONE`.
 * @see https://experienceleague.adobe.com/en/docs/id-service/using/id-service-api/methods/isoptedout
 */
export function isOptedOut(incoming: IncomingRequest, organizationId: string): boolean {
  const header = headerOf(incoming, 'cookie', MAX_READ_LENGTH);
  if (header?.includes('MCOPTOUT') !== true) {
    return false;
  }
  const pairs = toCookiePairs(header);
  return amcvNames(organizationId).some((name) => valuesOf(name, pairs).some((value) => OPT_OUT.test(value)));
}
