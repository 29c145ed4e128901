import { DEFAULT_GLOBAL_MBOX } from './artifact.js';
import type { JsonValue, MboxResponse, Option } from './delivery-api.js';
import { describe, TargetError } from './errors.js';
import { isRecord } from './json.js';
import type { TargetDeliveryResponse } from './response.js';

/** Which attributes each mbox has, for {@link AttributesProvider}: an interface or a type. */
export type AttributesSchema<Schema> = { readonly [Mbox in keyof Schema]: object };

/** Attributes nobody has described: any JSON. */
export type AnyAttributes = Record<string, Record<string, JsonValue>>;

type Name<Of> = keyof Of & string;

/** The keys whose values can be of a type: all of them where nobody described them. */
type KeyOf<Of, Wanted> = {
  [Key in keyof Of]-?: unknown extends Of[Key] ? Key : Extract<Of[Key], Wanted> extends never ? never : Key;
}[keyof Of] &
  string;

/** What an optional attribute is when it is there. */
type Present<Value> = Exclude<Value, undefined>;

/**
 * Reads feature flags and other attributes: the keys of the JSON offers that the mboxes got. Where several offers
 * of an mbox have a key, the later one wins, and execute wins over prefetch. Of an mbox that is answered by several rules
 * (`allMatchingMboxes`), the first rule wins. The offers of a page load belong to the global mbox.
 */
export class AttributesProvider<Schema extends AttributesSchema<Schema> = AnyAttributes> {
  readonly #response: TargetDeliveryResponse;
  readonly #globalMbox: string;
  #contentsByMbox: ReadonlyMap<string, readonly Attributes[]> | undefined;

  /** Reads an answer. The offers of its page loads are found under the name of the global mbox. */
  constructor(response: TargetDeliveryResponse, globalMbox = DEFAULT_GLOBAL_MBOX) {
    this.#response = response;
    this.#globalMbox = globalMbox;
  }

  /**
   * The value of an attribute; without a default, an attribute that does not exist throws
   * `ERR_TARGET_ATTRIBUTE_NOT_FOUND`.
   */
  getValue<Mbox extends Name<Schema>, Key extends Name<Schema[Mbox]>>(
    mbox: Mbox,
    key: Key,
  ): Present<Schema[Mbox][Key]>;
  getValue<Mbox extends Name<Schema>, Key extends Name<Schema[Mbox]>, Default = Schema[Mbox][Key]>(
    mbox: Mbox,
    key: Key,
    defaultValue: Default,
  ): Present<Schema[Mbox][Key]> | Default;
  getValue(mbox: string, key: string, ...defaults: unknown[]): unknown {
    const value = this.#find(mbox, key);
    if (value !== undefined) return value;
    if (defaults.length > 0) return defaults[0];
    throw notFound(`Attribute '${key}' does not exist for mbox '${mbox}'`);
  }

  /** A boolean; anything else, or nothing, is the default, or throws without one. */
  getBoolean<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: KeyOf<Schema[Mbox], boolean>,
    defaultValue?: boolean,
  ): boolean {
    return this.#typed(IS.boolean, mbox, key, defaultValue);
  }

  /** A string; anything else, or nothing, is the default, or throws without one. */
  getString<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: KeyOf<Schema[Mbox], string>,
    defaultValue?: string,
  ): string {
    return this.#typed(IS.string, mbox, key, defaultValue);
  }

  /** A number; anything else, or nothing, is the default, or throws without one. */
  getNumber<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: KeyOf<Schema[Mbox], number>,
    defaultValue?: number,
  ): number {
    return this.#typed(IS.number, mbox, key, defaultValue);
  }

  /** All attributes of an mbox, `{}` if it has none; without a name, those of every mbox with a JSON offer, by its name. */
  asObject(): Partial<Schema>;
  asObject<Mbox extends Name<Schema>>(mbox: Mbox): Partial<Schema[Mbox]>;
  asObject(mbox?: string): object {
    if (mbox !== undefined) return merge(this.#contents.get(mbox) ?? []);
    return Object.fromEntries([...this.#contents].map(([name, contents]) => [name, merge(contents)]));
  }

  /** The same as {@link asObject} without a name, for `JSON.stringify`. */
  toJSON(): Partial<Schema> {
    return this.asObject();
  }

  /** What `getOffers` would have returned. */
  getResponse(): TargetDeliveryResponse {
    return this.#response;
  }

  /** Collected when first asked for: who decides many flags reads few. */
  get #contents(): ReadonlyMap<string, readonly Attributes[]> {
    this.#contentsByMbox ??= collectContents(this.#response, this.#globalMbox);
    return this.#contentsByMbox;
  }

  #find(mbox: string, key: string): JsonValue | undefined {
    return this.#contents.get(mbox)?.findLast((content) => Object.hasOwn(content, key))?.[key];
  }

  #typed<Value>(type: ScalarType<Value>, mbox: string, key: string, defaultValue: Value | undefined): Value {
    const value = this.#find(mbox, key);
    if (type.accepts(value)) return value;
    if (defaultValue !== undefined) return defaultValue;
    const why =
      value === undefined
        ? `Attribute '${key}' does not exist for mbox '${mbox}'`
        : `Attribute '${key}' of mbox '${mbox}' is ${describe(value)}, not a ${type.name}`;
    throw notFound(why);
  }
}

/** One of the types that an attribute can be asked for. */
interface ScalarType<Value> {
  readonly name: string;
  accepts(value: unknown): value is Value;
}

const IS = {
  boolean: { name: 'boolean', accepts: (value: unknown) => typeof value === 'boolean' },
  string: { name: 'string', accepts: (value: unknown) => typeof value === 'string' },
  number: { name: 'number', accepts: (value: unknown) => typeof value === 'number' },
};

function notFound(message: string): TargetError {
  return new TargetError('ERR_TARGET_ATTRIBUTE_NOT_FOUND', message);
}

type Attributes = Readonly<Record<string, JsonValue>>;

/** Collects the JSON offers of each mbox that has one, those that win last. */
function collectContents(
  { response: { prefetch, execute } }: TargetDeliveryResponse,
  globalMbox: string,
): Map<string, Attributes[]> {
  const contentsByMbox = new Map<string, Attributes[]>();
  for (const part of [prefetch, execute]) {
    if (part?.pageLoad) addContents(contentsByMbox, [{ ...part.pageLoad, name: globalMbox }]);
    addContents(contentsByMbox, part?.mboxes);
  }
  return contentsByMbox;
}

function addContents(contentsByMbox: Map<string, Attributes[]>, mboxes: MboxResponse[] | undefined): void {
  /** Where the contents of an mbox begin that was asked for once. The rules behind the first stand before it. */
  const startsByMbox = new Map<string, { readonly index: number | undefined; readonly start: number }>();
  for (const { name, index, options } of mboxes ?? []) {
    const own = jsonContents(options);
    if (name === undefined || !own) continue;
    const contents = contentsByMbox.get(name) ?? [];
    contentsByMbox.set(name, contents);
    const known = startsByMbox.get(name);
    const start = known && known.index === index ? known.start : contents.length;
    startsByMbox.set(name, { index, start });
    contents.splice(start, 0, ...own);
  }
}

/** Returns the objects among the JSON offers; undefined where no offer is JSON. */
function jsonContents(options: readonly Option[] | undefined): Attributes[] | undefined {
  const offers = options?.filter(({ type }) => type === 'json');
  if (!offers || offers.length === 0) return undefined;
  return offers.map(({ content }) => content).filter((content): content is Attributes => isRecord(content));
}

/** One object of all contents; keys are data: `Object.fromEntries` defines `__proto__` instead of setting it. */
function merge(contents: readonly Attributes[]): object {
  return Object.fromEntries(contents.flatMap((content) => Object.entries(content)));
}
