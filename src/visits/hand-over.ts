import { quietly } from '../call-safely.js';
import { invalidOption } from '../errors.js';
import { readAnswer, recordsOf } from '../impressions/answered-locations.js';
import type { LoggerOption, TargetDeliveryResponse } from '../index.js';
import { ownOf, withoutInherited } from '../inherited-names.js';
import { isRecord } from '../json.js';
import { type Checks, checkFields, TEXT } from './field-checks.js';
import { toInlineJson } from './inline-json.js';
import { toInlineScript } from './inline-script.js';
import type { VisitAnswer } from './visit-call.js';

/** The options of `visit.handOver`. */
export interface HandOverOptions {
  /**
   * Parameters for the calls that at.js makes itself, such as `{ category: 'coffee' }`. They become the function
   * `window.targetPageParams`.
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/client-side/at-js-implementation/functions-overview/targetpageparams
   * @default none
   */
  readonly pageParams?: Readonly<Record<string, unknown>> | null | undefined;
  /**
   * The host that at.js calls. With a host of your own (a CNAME), at.js is told to stay there, and not to go to the host
   * of the visitor's edge cluster.
   * @default the option `serverDomain` of the client
   */
  readonly serverDomain?: string | null | undefined;
}

/** The options of {@link toHandOver}. */
export interface AnswerHandOverOptions extends HandOverOptions {
  /**
   * The host that at.js calls. With a host of your own (a CNAME), at.js is told to stay there, and not to go to the host
   * of the visitor's edge cluster.
   * @default none: a host of Adobe
   */
  readonly serverDomain?: string | null | undefined;
  /** Gets the debug lines about what at.js cannot take over. @default none */
  readonly logger?: Pick<LoggerOption, 'debug'> | null | undefined;
}

/** The decision of a server for the at.js in its page. */
export interface HandOver {
  /**
   * The data as JSON that is safe inside a `<script>`: `visitorState`, and where there are such, `serverState`,
   * `overrideMboxEdgeServer` and `targetPageParams`.
   */
  readonly json: string;
  /**
   * Returns a `<script>` that gives the data to at.js. It belongs in the page before at.js and before the Visitor API,
   * and after all scripts that assign to `window.targetGlobalSettings`.
   *
   * @param nonce the nonce of the page's Content Security Policy. at.js gets it too, for the scripts and styles of offers.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a nonce with other characters than those of base64.
   */
  script(nonce?: string | null): string;
}

/** An answer of a client or of a visit. */
export type CountedAnswer = TargetDeliveryResponse & Partial<Pick<VisitAnswer, 'isUncounted'>>;

/** The parts of which a hand-over is made. */
export interface HandOverParts {
  /** The answer that at.js takes over. It is undefined when there is none. */
  readonly answer: CountedAnswer | undefined;
  readonly visitorState: unknown;
  /** The host of at.js that holds without the option. */
  readonly serverDomain: string | undefined;
  debug(line: string): void;
}

/**
 * Hands an answer over to the at.js in the page: at.js shows its offers of the page load and of views, and makes no call
 * of its own for them. It takes no mboxes, so render those on the server. An answer without a decision of Target hands
 * over no offers: one with a `failure`, and one that `isUncounted`.
 *
 * A visit has the method `handOver`, which knows the answer and the client.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/client-side/at-js-implementation/functions-overview/targetglobalsettings
 *
 * @example
 * ```ts
 * const answer = await client.getOffers({ request: { execute: { pageLoad: {} }, prefetch: { views: [{}] } } });
 * const head = `${toHandOver(answer).script(nonce)}<script nonce="${nonce}" src="/at.js"></script>`;
 * ```
 */
export function toHandOver(answer: CountedAnswer, options: AnswerHandOverOptions | null = {}): HandOver {
  const isAnswer = reading(() => isRecord(answer) && isRecord(answer.request) && isRecord(answer.response));
  if (!isAnswer) {
    throw invalidOption('answer', 'the answer of getOffers', answer);
  }
  const given: AnswerHandOverOptions = options ?? {};
  // The check of the options tells of others than records.
  const own = isRecord(given) ? withoutInherited<AnswerHandOverOptions>(given) : given;
  const parts = {
    answer,
    visitorState: ownOf(answer).visitorState,
    serverDomain: undefined,
    // A logger that throws must not break the page.
    debug: (line: string) => quietly(() => own.logger?.debug?.(`AT: ${line}`)),
  };
  return makeHandOver(parts, own);
}

const CHECKS: Checks = {
  pageParams: {
    wanted: 'an object that can be written as JSON',
    accepts: (value) => isRecord(value) && canWrite(value),
  },
  serverDomain: TEXT,
};

/** Makes a hand-over. Later changes of the answer do not change it. */
export function makeHandOver(parts: HandOverParts, options: HandOverOptions): HandOver {
  checkFields(options, CHECKS, '');
  const { pageParams, serverDomain } = withoutInherited(options);
  const { answer } = parts;
  const serverState = answer && reading(() => toServerState(answer, parts.debug));
  if (!serverState?.request.execute) {
    parts.debug('the hand-over has no page load, so at.js asks Target itself');
  }
  const isOwn = isOwnHost(serverDomain ?? parts.serverDomain ?? '');
  const data = {
    serverState,
    overrideMboxEdgeServer: isOwn ? false : undefined,
    visitorState: parts.visitorState,
    targetPageParams: pageParams ?? undefined,
  };
  const json = reading(() => toInlineJson(data));
  return { json, script: (nonce) => toScript(json, nonce ?? undefined) };
}

function reading<Result>(read: () => Result): Result {
  return readAnswer(read, 'ERR_TARGET_INVALID_CONFIG');
}

function canWrite(value: unknown): boolean {
  try {
    return toInlineJson(value) !== '';
  } catch {
    return false;
  }
}

/**
 * Picks the page load and the views of an answer, with the fields of the request that Adobe's example has. Other fields
 * stay on the server, such as the IP address, or the token of a preview or a trace. So do traces. Returns undefined when
 * there is nothing that at.js may show.
 */
function toServerState(answer: CountedAnswer, debug: (line: string) => void) {
  const own = ownOf(answer);
  // A failed call has not counted either.
  if (own.isUncounted) {
    return undefined;
  }
  // The caller may have changed the answer.
  const { execute: executed, prefetch: prefetched, ...answered } = ownOf(own.response ?? {});
  const { requestId, id, context, experienceCloud, execute, prefetch } = ownOf(own.request ?? {});
  const mboxes = [execute, prefetch].flatMap((part) => recordsOf(part?.mboxes));
  if (mboxes.length > 0) {
    const names = mboxes.map(({ name }) => String(name)).join(', ');
    debug(`at.js takes no mboxes, so render these on the server: ${names}`);
  }
  const pageLoad = execute?.pageLoad && executed?.pageLoad;
  const views = prefetch?.views && prefetched?.views && recordsOf(prefetched.views);
  if (!pageLoad && !views) {
    return undefined;
  }
  return {
    request: {
      requestId,
      id,
      context: { channel: context?.channel },
      experienceCloud,
      execute: pageLoad && { pageLoad: execute?.pageLoad },
      prefetch: views && { views: prefetch?.views },
    },
    response: {
      ...answered,
      notifications: undefined,
      execute: pageLoad && { pageLoad: withoutTrace(pageLoad) },
      prefetch: views && { views: views.map(withoutTrace) },
    },
  };
}

function withoutTrace(location: object): object {
  return { ...location, trace: undefined };
}

/** Tells whether a host is none of Adobe's own, such as `acme.tt.omtrdc.net`. */
function isOwnHost(host: string): boolean {
  return host !== '' && !/(?:^|\.)tt\.omtrdc\.net(?::\d+)?$/i.test(host.trim());
}

/** The function of the script: it gets the window, the data and the nonce. Its syntax is that of old browsers. */
const TAKE_OVER =
  'function(w,h,n){var s=w.targetGlobalSettings=w.targetGlobalSettings||{};' +
  'if(h.serverState)s.serverState=h.serverState;' +
  'if(h.overrideMboxEdgeServer===false)s.overrideMboxEdgeServer=false;' +
  'if(n)s.cspScriptNonce=s.cspStyleNonce=n;' +
  'w.visitorState=h.visitorState;' +
  'if(h.targetPageParams)w.targetPageParams=function(){return h.targetPageParams}}';

/**
 * Writes the script. `JSON.parse` reads the data, because a field `__proto__` in a literal would be the prototype of its
 * object, and because engines read a long text faster than a long literal.
 */
function toScript(json: string, nonce: string | undefined): string {
  return toInlineScript(`!${TAKE_OVER}(window,JSON.parse(${toInlineJson(json)}),"${nonce ?? ''}")`, nonce);
}
