/**
 * The provider of OpenFeature for servers. Flags are attributes of JSON offers.
 *
 * @packageDocumentation
 */

import { invalidField, invalidOption, messageOf } from '../errors.js';
import type { TargetClient } from '../index.js';
import { withoutInherited } from '../inherited-names.js';
import type { JsonRecord } from '../json.js';
import { toConversion } from '../visits/conversion.js';
import { BOOLEAN, type Checks, checkFields, FUNCTION } from '../visits/field-checks.js';
import { type FlagType, type ReadFlag, toFailed, toNotFound, toResolution } from './openfeature-answer.js';
import {
  namesOf,
  type OpenFeatureCall,
  ownFieldsOf,
  type ReadCall,
  readContext,
  type TargetingKeyOption,
  textOf,
  toParameters,
} from './openfeature-context.js';
import { locateFlag, type TargetFlag } from './openfeature-flags.js';
import { FlagReads } from './openfeature-reads.js';
import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  type ResolutionDetails,
  type TrackingEventDetails,
} from './openfeature-sdk.js';
import { openProvidersOf, ProviderStates } from './openfeature-states.js';

export { type OpenFeatureCall, type TargetingKeyOption, withVisit } from './openfeature-context.js';
export type { TargetFlag } from './openfeature-flags.js';

/** The options of {@link TargetProvider}. */
export interface TargetProviderOptions {
  /**
   * The mbox whose attributes all flags are.
   * @default none: the flag key names the mbox, and after its last dot the attribute, as `checkout.isNew` does. A key
   * without a dot is the whole JSON offer
   */
  readonly mbox?: string | null | undefined;
  /**
   * Finds the attribute of a flag key, in place of the option `mbox` and of the dot. A key for which it returns undefined
   * is `FLAG_NOT_FOUND`, and nobody is asked.
   * @default none
   *
   * @example
   * ```ts
   * const known = new Map([['new-checkout', { mbox: 'checkout', key: 'isNew' }]]);
   * const provider = new TargetProvider(client, { flag: (key) => known.get(key) });
   * ```
   */
  readonly flag?: ((flagKey: string) => TargetFlag | null | undefined) | null | undefined;
  /**
   * Makes the call of an evaluation context: its options, its request, and the parameters of the mbox. It replaces all that
   * the provider would make of the attributes, but for `visit`.
   * @default none
   *
   * @example
   * ```ts
   * const provider = new TargetProvider(client, {
   *   toCall: ({ targetingKey, plan }) => ({
   *     request: { id: { thirdPartyId: targetingKey } },
   *     parameters: { plan: String(plan) },
   *   }),
   * });
   * ```
   */
  readonly toCall?: ((context: EvaluationContext) => OpenFeatureCall) | null | undefined;
  /**
   * The kind of id that the targeting key is, or a function that makes the visitor's ids of it.
   * @default 'thirdPartyId'
   */
  readonly targetingKey?: TargetingKeyOption | null | undefined;
  /**
   * True when the client is closed with the provider. A client of several providers is closed with the last of them.
   * @default true
   */
  readonly closeClient?: boolean | null | undefined;
}

const CHECKS: Checks = {
  mbox: { wanted: 'the name of an mbox', accepts: (value) => typeof value === 'string' && value !== '' },
  flag: FUNCTION,
  toCall: FUNCTION,
  targetingKey: {
    wanted: 'thirdPartyId, tntId or a function',
    accepts: (value) => value === 'thirdPartyId' || value === 'tntId' || typeof value === 'function',
  },
  closeClient: BOOLEAN,
};

/**
 * The OpenFeature provider of Adobe Target. A flag is an attribute of a JSON offer, and the evaluation context tells who
 * the visitor is. It never throws: an error is in the details of the evaluation.
 *
 * @see https://openfeature.dev/docs/reference/concepts/provider
 *
 * @example
 * ```ts
 * await OpenFeature.setProviderAndWait(new TargetProvider(client));
 * const flags = OpenFeature.getClient();
 * const isNew = await flags.getBooleanValue('checkout.isNew', false, { targetingKey: 'user-7' });
 * ```
 */
export class TargetProvider implements Provider {
  /** The name of the provider, for logs and hooks. */
  readonly metadata = { name: 'adobe-target' } as const;
  /** The provider is for servers. */
  readonly runsOn = 'server';
  /** The events of the provider. OpenFeature passes them on to handlers. */
  readonly events = new OpenFeatureEventEmitter();

  readonly #client: TargetClient;
  readonly #options: TargetProviderOptions;
  readonly #reads: FlagReads;
  readonly #states: ProviderStates;

  /**
   * Makes a provider of a client.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
   */
  constructor(client: TargetClient, options: TargetProviderOptions | null = {}) {
    if (!client?.forVisits) {
      throw invalidOption('client', 'a TargetClient', client);
    }
    const { mbox, flag, toCall, targetingKey, closeClient } = checked(options ?? {});
    this.#client = client;
    this.#options = { mbox, flag, toCall, targetingKey, closeClient };
    this.#reads = new FlagReads(client);
    this.#states = new ProviderStates(client, this.events);
  }

  /**
   * Waits until the client is ready, at most for its `maximumWaitReady`, or for 10 seconds when it has none. It rejects
   * with an error of OpenFeature.
   */
  initialize(): Promise<void> {
    openProvidersOf(this.#client).add(this);
    return this.#states.start();
  }

  /**
   * Ends the events, and closes the client unless the option `closeClient` is `false` or another provider of it is in use.
   */
  async onClose(): Promise<void> {
    this.#states.stop();
    const open = openProvidersOf(this.#client);
    open.delete(this);
    if ((this.#options.closeClient ?? true) && open.size === 0) {
      await this.#client.close();
    }
  }

  /** Reads a flag that is a boolean. */
  resolveBooleanEvaluation(
    flagKey: string,
    defaultValue: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(flagKey, 'boolean', defaultValue, context);
  }

  /** Reads a flag that is a string. */
  resolveStringEvaluation(
    flagKey: string,
    defaultValue: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.#resolve(flagKey, 'string', defaultValue, context);
  }

  /** Reads a flag that is a number. */
  resolveNumberEvaluation(
    flagKey: string,
    defaultValue: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.#resolve(flagKey, 'number', defaultValue, context);
  }

  /** Reads a flag that is an object or a list. Its fields are not checked. */
  resolveObjectEvaluation<Value extends JsonValue>(
    flagKey: string,
    defaultValue: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>> {
    return this.#resolve(flagKey, 'object', defaultValue, context);
  }

  /**
   * Counts a conversion in the background: the mbox of this name is executed on the edge. `value` becomes the total of the
   * order, when the details have an `orderId`. Other scalars become parameters. A failure is logged as a warning.
   */
  track(name: string, context?: EvaluationContext, details?: TrackingEventDetails): void {
    const { logger } = this.#client.forVisits;
    const warn = (thrown: unknown) =>
      logger.warn(`the conversion of ${shownMbox(name)} was not counted: ${messageOf(thrown)}`);
    try {
      this.#track(name, { context: context ?? {}, details: details ?? {} }, warn);
    } catch (thrown) {
      warn(thrown);
    }
  }

  #track(
    name: string,
    { context, details }: { readonly context: EvaluationContext; readonly details: TrackingEventDetails },
    warn: (thrown: unknown) => void,
  ): void {
    if (typeof name !== 'string' || name === '') {
      throw invalidField('mbox', 'the name of an mbox', name);
    }
    const support = this.#client.forVisits;
    const call = this.#toCall(context);
    const { orderId, value, ...others } = ownFieldsOf(details);
    const hasOrder = (typeof orderId === 'string' && orderId !== '') || typeof orderId === 'number';
    const fields: JsonRecord = hasOrder ? others : { ...others, value };
    const { parameters, dropped } = toParameters(fields, namesOf(fields));
    this.#tellUnused(dropped);
    const conversion = {
      parameters: { ...call.parameters, ...parameters },
      ...(hasOrder && { order: { id: String(orderId), total: value } }),
    };
    if (call.visit) {
      call.visit.track(name, conversion);
      return;
    }
    const { execute: _, prefetch: _asked, notifications: _reports, ...request } = call.request;
    const work = this.#client
      .getOffers({
        ...call.options,
        request: { ...request, ...toConversion(name, conversion, support) },
        decisioningMethod: 'server-side',
      })
      .catch((thrown: unknown) => {
        warn(thrown);
        throw thrown;
      });
    support.held.addConversion(work);
    support.handOver(work, call.options.waitUntil);
  }

  async #resolve<Value>(
    flagKey: string,
    type: FlagType,
    defaultValue: Value,
    context: EvaluationContext | undefined,
  ): Promise<ResolutionDetails<Value>> {
    const details = await this.#read(flagKey, type, defaultValue, context);
    if (details.errorCode === ErrorCode.PROVIDER_NOT_READY) {
      this.#states.noteFailedRead();
    }
    return details;
  }

  async #read<Value>(
    flagKey: string,
    type: FlagType,
    defaultValue: Value,
    context: EvaluationContext | undefined,
  ): Promise<ResolutionDetails<Value>> {
    try {
      const location = locateFlag(flagKey, this.#options);
      if (!location) {
        return toNotFound(defaultValue, 'no mbox belongs to the flag key');
      }
      const flag: ReadFlag<Value> = { ...location, type, defaultValue };
      const given = context ?? {};
      const attributes = await this.#reads.read(flag.mbox, this.#toCall(given), () => textOf(given));
      return toResolution(flag, attributes, this.#client.forVisits.hasRules);
    } catch (thrown) {
      return toFailed(defaultValue, thrown);
    }
  }

  #toCall(context: EvaluationContext): ReadCall {
    const call = readContext(context, this.#options);
    this.#tellUnused(call.unused);
    return call;
  }

  #tellUnused(names: readonly string[]): void {
    if (names.length > 0) {
      this.#client.forVisits.logger.debug(
        () => `OpenFeature: attributes that are not sent: ${names.join(', ')}`,
      );
    }
  }
}

/** Names an mbox in a log line. The name may be a value of any kind. */
function shownMbox(name: unknown): string {
  return typeof name === 'string' ? `mbox '${name}'` : 'an mbox without a name';
}

/** Returns the options when they are right. */
function checked(options: TargetProviderOptions): TargetProviderOptions {
  checkFields(options, CHECKS, '');
  return withoutInherited(options);
}
