import { expect } from '@jest/globals';
import {
  type Client,
  type EvaluationDetails,
  type EventDetails,
  type FlagValue,
  OpenFeature,
  ProviderEvents,
} from '@openfeature/server-sdk';
import { TargetProvider, type TargetProviderOptions } from '../../src/adapters/openfeature.js';
import type { DecisioningMethod, JsonValue, TargetClient, TargetClientConfig } from '../../src/index.js';
import type { WithEdge } from '../with-edge.js';
import { type Scenario, type SuiteFlag, toFlagsArtifact } from './openfeature-features.js';

/** The parts of a suite that its scenarios share. */
export interface Suite {
  readonly bench: WithEdge;
  readonly method: DecisioningMethod;
  readonly flags: Readonly<Record<string, SuiteFlag>>;
  readonly options: TargetProviderOptions;
}

/** The attribute that a flag of the suites is. */
const attributeOf = (mbox: string) => ({ mbox, key: 'value' });

/**
 * Returns the options by which flags are found. The rules tell which mboxes there are. The edge does not tell it, so there
 * the program knows its flags.
 */
export function findingFlags(
  method: DecisioningMethod,
  keys: readonly string[],
): Pick<TargetProviderOptions, 'flag'> {
  const known = new Set(keys);
  return { flag: (key) => (method === 'on-device' || known.has(key) ? attributeOf(key) : undefined) };
}

let domains = 0;

/** Events that no step has looked at yet. */
interface Kept {
  readonly events: (EventDetails | undefined)[];
  resolve: (() => void) | undefined;
}

/** The events of OpenFeature, by the words of the suites. */
const PROVIDER_EVENTS: Readonly<Record<string, ProviderEvents>> = {
  ready: ProviderEvents.Ready,
  stale: ProviderEvents.Stale,
  error: ProviderEvents.Error,
  change: ProviderEvents.ConfigurationChanged,
};

/** The limit in ms of clients whose rules never come. */
const LIMIT_MS = 100;

/** The world of one scenario: a provider, a flag, and what came of it. */
export class World {
  readonly #suite: Suite;
  readonly #domain = `suite-${++domains}`;
  readonly #kept = new Map<string, Kept>();
  readonly thrown: unknown[] = [];
  readonly context: Record<string, string | number | boolean | null> = {};
  client: Client = OpenFeature.getClient(this.#domain);
  provider: TargetProvider | undefined;
  flag = { type: '', key: '', fallback: '' };
  details: EvaluationDetails<FlagValue> | undefined;
  remembered: FlagValue | undefined;
  lastEvent: EventDetails | undefined;

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  /** Makes a client, and registers its provider. */
  async start(config: Partial<TargetClientConfig> = {}, isAwaited = true): Promise<void> {
    await this.#register(this.#connect(config), isAwaited);
  }

  #connect(config: Partial<TargetClientConfig>): TargetClient {
    const { bench, method } = this.#suite;
    return bench.connect({
      decisioningMethod: method,
      artifactLocation: bench.edge.artifactUrl,
      pollingInterval: 25,
      retry: { retries: 0 },
      ...config,
    });
  }

  /** Registers a provider, whose start may fail. */
  async #register(target: TargetClient, isAwaited = true): Promise<void> {
    this.provider = new TargetProvider(target, this.#suite.options);
    const starting = OpenFeature.setProviderAndWait(this.#domain, this.provider).catch(() => undefined);
    if (isAwaited) {
      await starting;
    }
  }

  outage(): void {
    this.#suite.bench.edge.fault({ kind: 'reset' });
  }

  restore(): void {
    this.#suite.bench.edge.clearFaults();
  }

  /** Gives the flag its other variant. */
  modify(): void {
    const { bench, flags } = this.#suite;
    const { variants = {}, defaultVariant } = flags[this.flag.key] ?? {};
    const other = Object.keys(variants).find((name) => name !== defaultVariant);
    const changed = { variants, ...(other !== undefined && { defaultVariant: other }) };
    bench.edge.setArtifact(toFlagsArtifact({ ...flags, [this.flag.key]: changed }));
  }

  /** Keeps the events of a kind. OpenFeature tells of the present state at once. */
  listen(kind: string): void {
    const name = PROVIDER_EVENTS[kind] ?? ProviderEvents.Ready;
    const kept: Kept = { events: [], resolve: undefined };
    this.#kept.set(kind, kept);
    this.client.addHandler(name as ProviderEvents.Ready, (details) => {
      kept.events.push(details);
      kept.resolve?.();
    });
  }

  /** Takes the next event of a kind, once there is one. */
  async event(kind: string): Promise<EventDetails | undefined> {
    const kept = this.#kept.get(kind);
    if (!kept) {
      throw new Error(`nobody listens for ${kind}`);
    }
    if (kept.events.length === 0) {
      await new Promise<void>((resolve) => {
        kept.resolve = resolve;
      });
    }
    return kept.events.shift();
  }

  async evaluate(): Promise<void> {
    const { type, key, fallback } = this.flag;
    const value = parse(type, fallback);
    try {
      this.details = await this.#read(type, key, value);
    } catch (thrown) {
      this.thrown.push(thrown);
    }
  }

  #read(type: string, key: string, value: JsonValue): Promise<EvaluationDetails<FlagValue>> {
    switch (type) {
      case 'Boolean':
        return this.client.getBooleanDetails(key, value as boolean, this.context);
      case 'String':
        return this.client.getStringDetails(key, value as string, this.context);
      case 'Object':
        return this.client.getObjectDetails(key, value, this.context);
      default:
        return this.client.getNumberDetails(key, value as number, this.context);
    }
  }

  async shutDown(): Promise<void> {
    await this.provider?.onClose().catch((thrown: unknown) => this.thrown.push(thrown));
  }

  async initialize(): Promise<void> {
    await this.provider?.initialize().catch((thrown: unknown) => this.thrown.push(thrown));
  }

  /** Registers a provider in a state of its own. */
  async startAs(state: string): Promise<void> {
    if (state === 'stable') {
      return this.start();
    }
    if (state === 'stale') {
      this.outage();
      this.listen('stale');
      await this.start({ artifactPayload: toFlagsArtifact(this.#suite.flags) });
      await this.event('stale');
      return;
    }
    if (state === 'fatal') {
      return this.#startFatally();
    }
    this.outage();
    await this.start(state === 'not ready' ? {} : { maximumWaitReady: LIMIT_MS }, state === 'error');
  }

  /** A client whose option `agent` is wrong can never download rules. */
  async #startFatally(): Promise<void> {
    const agent = (() => Promise.resolve()) as never;
    const target = this.#connect({ agent, maximumWaitReady: LIMIT_MS });
    await new Promise<void>((resolve) => {
      target.on('artifactDownloadFailed', ({ error }) => {
        if (error.code === 'ERR_TARGET_INVALID_CONFIG') {
          resolve();
        }
      });
    });
    await this.#register(target);
  }
}

/** Reads a value of a feature file. */
export function parse(type: string, text: string): JsonValue {
  if (type === 'String') {
    return text;
  }
  // Quotes in a table have a backslash before them.
  return JSON.parse(text.replaceAll('\\"', '"'));
}

type Step = readonly [
  pattern: RegExp,
  act: (world: World, args: readonly string[], table: Scenario['steps'][number]['table']) => unknown,
];

/** The steps of both suites. */
const STEPS: readonly Step[] = [
  [/^an? (stable|not ready|error|fatal|stale) provider$/, (world, [state = '']) => world.startAs(state)],
  [
    /^a unavailable provider$/,
    (world) => {
      world.outage();
      return world.start({ maximumWaitReady: LIMIT_MS }, false);
    },
  ],
  [
    /^a (\w+)-flag with key "(.*)" and a (?:default|fallback) value "(.*)"$/,
    (world, [type = '', key = '', fallback = '']) => {
      world.flag = { type, key, fallback };
    },
  ],
  [
    /^a context containing a targeting key with value "(.*)"$/,
    (world, [value = '']) => {
      world.context.targetingKey = value;
    },
  ],
  [
    /^a context containing a key "(.*)", with type "(.*)" and with value "(.*)"$/,
    (world, [key = '', type = '', value = '']) => {
      world.context[key] = parse(type, value) as string;
    },
  ],
  [
    /^a context containing a key "(.*)" with null value$/,
    (world, [key = '']) => {
      world.context[key] = null;
    },
  ],
  [/^a (\w+) event handler$/, (world, [kind = '']) => world.listen(kind)],
  [/^a (\w+) event was fired$/, (world, [kind = '']) => world.event(kind)],
  [/^the flag was evaluated with details(?: asynchronously)?$/, (world) => world.evaluate()],
  [
    /^the resolved value is remembered$/,
    (world) => {
      world.remembered = world.details?.value;
    },
  ],
  [/^the flag was modified$/, (world) => world.modify()],
  [/^the connection is lost$/, (world) => world.outage()],
  [/^the connection is restored$/, (world) => world.restore()],
  [/^the provider is shut down$/, (world) => world.shutDown()],
  [/^the provider is initialized again$/, (world) => world.initialize()],
  // Each step ends before the next one begins, so a shutdown that hangs ends the test.
  [/^the shutdown should have completed within \d+ms$/, () => undefined],
  [/^the evaluation should complete without blocking$/, (world) => expect(world.details).toBeDefined()],
  [
    /^the resolved details value should be "(.*)"$/,
    (world, [text = '']) => expect(world.details?.value).toEqual(parse(world.flag.type, text)),
  ],
  [
    /^the resolved details value should have changed$/,
    (world) => expect(world.details?.value).not.toEqual(world.remembered),
  ],
  [
    /^the resolved object value should contain$/,
    (world, _, [, ...rows]) => {
      const fields = rows.map(([key = '', type = '', value = '']) => [key, parse(type, value)]);
      expect(world.details?.value).toMatchObject(Object.fromEntries(fields));
    },
  ],
  [
    /^the resolved metadata should contain$/,
    (world, _, [, ...rows]) => {
      const fields = rows.map(([key = '', type = '', value = '']) => [key, parse(type, value)]);
      expect(world.details?.flagMetadata).toMatchObject(Object.fromEntries(fields));
    },
  ],
  [/^the flag key should be "(.*)"$/, (world, [key]) => expect(world.details?.flagKey).toBe(key)],
  [/^the variant should be "(.*)"$/, (world, [variant]) => expect(world.details?.variant).toBe(variant)],
  [/^the reason should be "(.*)"$/, (world, [reason]) => expect(world.details?.reason).toBe(reason)],
  [/^the error-code should be "(.*)"$/, (world, [code]) => expect(world.details?.errorCode ?? '').toBe(code)],
  [/^the error message should be empty$/, (world) => expect(world.details?.errorMessage ?? '').toBe('')],
  [/^no exception should have been thrown$/, (world) => expect(world.thrown).toEqual([])],
  [
    /^the (\w+) event handler should have been executed(?: within \d+ms)?$/,
    async (world, [kind = '']) => {
      world.lastEvent = await world.event(kind);
    },
  ],
  [
    /^the flag should be part of the event payload$/,
    (world) => expect(world.lastEvent?.flagsChanged).toContain(world.flag.key),
  ],
  [
    /^the client should be in (\w+) state$/,
    (world, [state = '']) => expect(world.client.providerStatus).toBe(state.toUpperCase()),
  ],
  [
    /^the provider status should be "(.*)"$/,
    (world, [status]) => expect(world.client.providerStatus).toBe(status),
  ],
  [
    /^the provider metadata name should not be empty$/,
    (world) => expect(world.client.metadata.providerMetadata.name).toBe('adobe-target'),
  ],
];

/** Tells whether all steps of a scenario are known. */
export function hasSteps({ steps }: Scenario): boolean {
  return steps.every(({ text }) => STEPS.some(([pattern]) => pattern.test(text)));
}

/** Plays the steps of a scenario, one after the other. */
export async function play({ steps }: Scenario, suite: Suite): Promise<void> {
  const world = new World(suite);
  for (const { text, table } of steps) {
    const [act, args] = findStep(text);
    await act(world, args, table);
  }
}

function findStep(text: string): readonly [Step[1], readonly string[]] {
  for (const [pattern, act] of STEPS) {
    const found = pattern.exec(text);
    if (found) {
      return [act, found.slice(1)];
    }
  }
  throw new Error(`there is no step for: ${text}`);
}
