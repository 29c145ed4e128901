import { DEFAULT_GLOBAL_MBOX } from './artifact.js';
import type { JsonValue, MboxResponse, Option } from './delivery-api.js';
import { describe, TargetError } from './errors.js';
import { isRecord } from './json.js';
import type { Callbacks } from './request/callbacks.js';
import type { DeliveryRequest } from './request/loose-request.js';
import type { CallOptions } from './request/options.js';
import type { TargetDeliveryResponse } from './response.js';

/**
 * A description of the attributes of each mbox, for {@link AttributesProvider}. It may be an interface or a type. The
 * compiler then checks the names of mboxes and attributes, and knows the types of values.
 *
 * @example
 * ```ts
 * interface Flags {
 *   'checkout-flags': { isNew: boolean; color?: string };
 * }
 * const flags = await client.getAttributes<Flags>(['checkout-flags']);
 * ```
 */
export type AttributesSchema<Schema> = { readonly [Mbox in keyof Schema]: object };

/** Attributes without a description. Every mbox and attribute may exist, and its value may be any JSON. */
export type AnyAttributes = Record<string, Record<string, JsonValue>>;

/** Options of `client.getAttributes`. */
export interface GetAttributesOptions<Schema extends AttributesSchema<Schema> = AnyAttributes>
  extends CallOptions,
    Callbacks<AttributesProvider<Schema>> {
  /** The request, in the format of the Delivery API. @default `{ context: { channel: 'web' } }` */
  readonly request?: DeliveryRequest | null | undefined;
}

type Name<Of> = keyof Of & string;

/**
 * The keys of an mbox whose values can have a type, for the methods of {@link AttributesProvider}. Attributes without a
 * description have all keys.
 */
export type AttributeKey<Of, Wanted> = {
  [Key in keyof Of]-?: unknown extends Of[Key] ? Key : Extract<Of[Key], Wanted> extends never ? never : Key;
}[keyof Of] &
  string;

/** The type of an optional attribute when it is present. */
type Present<Value> = Exclude<Value, undefined>;

/**
 * Reads feature flags and other attributes, which are the keys of JSON offers. `client.getAttributes` makes it.
 *
 * When several offers of an mbox have the same key, the later offer wins, and `execute` wins over `prefetch`. When
 * several rules answer an mbox (option `allMatchingMboxes`), the first rule wins. The offers of a page load belong to
 * the global mbox.
 *
 * @example
 * ```ts
 * const flags = await client.getAttributes(['checkout-flags']);
 * const isNew = flags.getBoolean('checkout-flags', 'isNew', false);
 * ```
 */
export class AttributesProvider<Schema extends AttributesSchema<Schema> = AnyAttributes> {
  readonly #response: TargetDeliveryResponse;
  readonly #globalMbox: string;
  #contentsByMbox: ReadonlyMap<string, readonly Attributes[]> | undefined;

  /**
   * Makes a provider for an answer of `getOffers`. The offers of its page loads are found under the name of the global
   * mbox, which is `target-global-mbox` unless the account has another one.
   */
  constructor(response: TargetDeliveryResponse, globalMbox = DEFAULT_GLOBAL_MBOX) {
    this.#response = response;
    this.#globalMbox = globalMbox;
  }

  /**
   * Returns the value of an attribute of any type, or the default when there is no such attribute.
   * @throws {TargetError} `ERR_TARGET_ATTRIBUTE_NOT_FOUND` when the attribute does not exist and no default is given.
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
    if (value !== undefined) {
      return value;
    }
    if (defaults.length > 0) {
      return defaults[0];
    }
    throw notFound(`Attribute '${key}' does not exist for mbox '${mbox}'`);
  }

  /**
   * Returns an attribute that is a boolean. Returns the default when it is absent or has another type.
   * @throws {TargetError} `ERR_TARGET_ATTRIBUTE_NOT_FOUND` when it is absent or has another type, and no default is
   * given.
   */
  getBoolean<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: AttributeKey<Schema[Mbox], boolean>,
    defaultValue?: boolean,
  ): boolean {
    return this.#typed(IS.boolean, mbox, key, defaultValue);
  }

  /**
   * Returns an attribute that is a string. Returns the default when it is absent or has another type.
   * @throws {TargetError} `ERR_TARGET_ATTRIBUTE_NOT_FOUND` when it is absent or has another type, and no default is
   * given.
   */
  getString<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: AttributeKey<Schema[Mbox], string>,
    defaultValue?: string,
  ): string {
    return this.#typed(IS.string, mbox, key, defaultValue);
  }

  /**
   * Returns an attribute that is a number. Returns the default when it is absent or has another type.
   * @throws {TargetError} `ERR_TARGET_ATTRIBUTE_NOT_FOUND` when it is absent or has another type, and no default is
   * given.
   */
  getNumber<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: AttributeKey<Schema[Mbox], number>,
    defaultValue?: number,
  ): number {
    return this.#typed(IS.number, mbox, key, defaultValue);
  }

  /**
   * Returns all attributes of an mbox, or `{}` if it has none. Without a name it returns the attributes of every mbox
   * that has a JSON offer, by the name of the mbox.
   */
  asObject(): Partial<Schema>;
  asObject<Mbox extends Name<Schema>>(mbox: Mbox): Partial<Schema[Mbox]>;
  asObject(mbox?: string): object {
    if (mbox !== undefined) {
      return merge(this.#contents.get(mbox) ?? []);
    }
    return Object.fromEntries([...this.#contents].map(([name, contents]) => [name, merge(contents)]));
  }

  /** Returns the attributes of all mboxes for `JSON.stringify`, as {@link asObject} without a name does. */
  toJSON(): Partial<Schema> {
    return this.asObject();
  }

  /** Returns the whole answer, with the offers and the cookies to set, as `getOffers` returns it. */
  getResponse(): TargetDeliveryResponse {
    return this.#response;
  }

  /**
   * Returns the content of each mbox that has a JSON offer. Offers that are objects count together, key by key. When the
   * offer that wins is a list or a scalar, it alone counts. @internal
   */
  wholeContents(): Map<string, JsonValue> {
    const offers = collectContents(this.#response, this.#globalMbox, isPresent);
    return new Map(
      [...offers].flatMap(([mbox, contents]) => {
        const winner = contents.at(-1);
        return winner === undefined
          ? []
          : [[mbox, isRecord(winner) ? merge(contents.filter(isAttributes)) : winner]];
      }),
    );
  }

  /** JSON offers by mbox. They are collected at the first read, because most callers read few of many flags. */
  get #contents(): ReadonlyMap<string, readonly Attributes[]> {
    this.#contentsByMbox ??= collectContents(this.#response, this.#globalMbox, isAttributes);
    return this.#contentsByMbox;
  }

  #find(mbox: string, key: string): JsonValue | undefined {
    return this.#contents.get(mbox)?.findLast((content) => Object.hasOwn(content, key))?.[key];
  }

  #typed<Value>(type: ScalarType<Value>, mbox: string, key: string, defaultValue: Value | undefined): Value {
    const value = this.#find(mbox, key);
    if (type.accepts(value)) {
      return value;
    }
    if (defaultValue !== undefined) {
      return defaultValue;
    }
    const why =
      value === undefined
        ? `Attribute '${key}' does not exist for mbox '${mbox}'`
        : `Attribute '${key}' of mbox '${mbox}' is ${describe(value)}, not a ${type.name}`;
    throw notFound(why);
  }
}

/** A type that the caller of a getter wants an attribute to have. */
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

type Attributes = Record<string, JsonValue>;

/** The contents of JSON offers by mbox. */
type ContentsByMbox<Content> = Map<string, Content[]>;

/** Collects the JSON offers by mbox. Offers that win stand later in their list. */
function collectContents<Content extends JsonValue>(
  { response: { prefetch, execute } }: TargetDeliveryResponse,
  globalMbox: string,
  accepts: (content: unknown) => content is Content,
): ContentsByMbox<Content> {
  const contentsByMbox: ContentsByMbox<Content> = new Map();
  for (const part of [prefetch, execute]) {
    if (part?.pageLoad) {
      addContents(contentsByMbox, [{ ...part.pageLoad, name: globalMbox }], accepts);
    }
    addContents(contentsByMbox, part?.mboxes, accepts);
  }
  return contentsByMbox;
}

function addContents<Content extends JsonValue>(
  contentsByMbox: ContentsByMbox<Content>,
  mboxes: MboxResponse[] | undefined,
  accepts: (content: unknown) => content is Content,
): void {
  /**
   * The position in the list of contents at which the answer to one mbox of the request begins. Several rules can
   * answer that mbox. Later contents win, so the contents of later rules are put in front of those of the first rule.
   */
  const startsByMbox = new Map<string, { readonly index: number | undefined; readonly start: number }>();
  for (const { name, index, options } of mboxes ?? []) {
    const own = jsonContents(options, accepts);
    if (name === undefined || !own) {
      continue;
    }
    const contents = contentsByMbox.get(name) ?? [];
    contentsByMbox.set(name, contents);
    const known = startsByMbox.get(name);
    const start = known && known.index === index ? known.start : contents.length;
    startsByMbox.set(name, { index, start });
    contents.splice(start, 0, ...own);
  }
}

/** Returns the contents of the JSON offers that are accepted, or `undefined` when no offer is JSON. */
function jsonContents<Content extends JsonValue>(
  options: readonly Option[] | undefined,
  accepts: (content: unknown) => content is Content,
): Content[] | undefined {
  const offers = options?.filter(({ type }) => type === 'json');
  if (!offers || offers.length === 0) {
    return undefined;
  }
  return offers.map(({ content }) => content).filter(accepts);
}

function isAttributes(content: unknown): content is Attributes {
  return isRecord(content);
}

function isPresent(content: unknown): content is JsonValue {
  return content !== undefined;
}

/**
 * Merges contents into one object. The account chooses the keys. A key may be `__proto__`: `Object.fromEntries` makes
 * an ordinary field of it and does not set the prototype.
 */
function merge(contents: readonly Attributes[]): Attributes {
  return Object.fromEntries(contents.flatMap((content) => Object.entries(content)));
}
