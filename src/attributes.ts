import type { JsonValue } from './delivery-api.js';
import { describe, TargetError } from './errors.js';
import type { TargetDeliveryResponse } from './response.js';

/** Which attributes each mbox has, for {@link AttributesProvider}: an interface or a type. */
export type AttributesSchema<Schema> = { readonly [Mbox in keyof Schema]: object };

/** Attributes nobody has described: any JSON. */
export type AnyAttributes = Record<string, Record<string, JsonValue>>;

type Name<Of> = keyof Of & string;

/**
 * Reads feature flags and other attributes: the keys of the JSON offers that the mboxes got. Where several offers
 * of an mbox have a key, the later one wins, and execute wins over prefetch.
 */
export class AttributesProvider<Schema extends AttributesSchema<Schema> = AnyAttributes> {
  readonly #response: TargetDeliveryResponse;
  readonly #attributesByMbox: ReadonlyMap<string, ReadonlyMap<string, JsonValue>>;

  constructor(response: TargetDeliveryResponse) {
    this.#response = response;
    this.#attributesByMbox = collectAttributes(response);
  }

  /**
   * The value of an attribute; without a default, an attribute that does not exist throws
   * `ERR_TARGET_ATTRIBUTE_NOT_FOUND`.
   */
  getValue<Mbox extends Name<Schema>, Key extends Name<Schema[Mbox]>>(
    mbox: Mbox,
    key: Key,
  ): Schema[Mbox][Key];
  getValue<Mbox extends Name<Schema>, Key extends Name<Schema[Mbox]>, Default = Schema[Mbox][Key]>(
    mbox: Mbox,
    key: Key,
    defaultValue: Default,
  ): Schema[Mbox][Key] | Default;
  getValue(mbox: string, key: string, ...defaults: unknown[]): unknown {
    const value = this.#find(mbox, key);
    if (value !== undefined) return value;
    return orThrow(defaults, () => `Attribute '${key}' does not exist for mbox '${mbox}'`);
  }

  /** A boolean; anything else, or nothing, is the default, or throws without one. */
  getBoolean<Mbox extends Name<Schema>>(
    mbox: Mbox,
    key: Name<Schema[Mbox]>,
    defaultValue?: boolean,
  ): boolean {
    return this.#typed('boolean', mbox, key, defaultValue) as boolean;
  }

  /** A string; anything else, or nothing, is the default, or throws without one. */
  getString<Mbox extends Name<Schema>>(mbox: Mbox, key: Name<Schema[Mbox]>, defaultValue?: string): string {
    return this.#typed('string', mbox, key, defaultValue) as string;
  }

  /** A number; anything else, or nothing, is the default, or throws without one. */
  getNumber<Mbox extends Name<Schema>>(mbox: Mbox, key: Name<Schema[Mbox]>, defaultValue?: number): number {
    return this.#typed('number', mbox, key, defaultValue) as number;
  }

  /** All attributes of an mbox, `{}` if it has none; without a name, those of every mbox by its name. */
  asObject(): Partial<Schema>;
  asObject<Mbox extends Name<Schema>>(mbox: Mbox): Partial<Schema[Mbox]>;
  asObject(mbox?: string): object {
    if (mbox !== undefined) return toObject(this.#attributesByMbox.get(mbox) ?? new Map());
    return toObject(new Map([...this.#attributesByMbox].map(([name, values]) => [name, toObject(values)])));
  }

  /** The same as {@link asObject} without a name, for `JSON.stringify`. */
  toJSON(): Partial<Schema> {
    return this.asObject();
  }

  /** What `getOffers` would have returned. */
  getResponse(): TargetDeliveryResponse {
    return this.#response;
  }

  #find(mbox: string, key: string): JsonValue | undefined {
    return this.#attributesByMbox.get(mbox)?.get(key);
  }

  #typed(type: string, mbox: string, key: string, defaultValue: unknown): unknown {
    const value = this.#find(mbox, key);
    if (typeof value === type) return value;
    return orThrow(defaultValue === undefined ? [] : [defaultValue], () =>
      value === undefined
        ? `Attribute '${key}' does not exist for mbox '${mbox}'`
        : `Attribute '${key}' of mbox '${mbox}' is ${describe(value)}, not a ${type}`,
    );
  }
}

function orThrow(defaults: readonly unknown[], message: () => string): unknown {
  if (defaults.length > 0) return defaults[0];
  throw new TargetError('ERR_TARGET_ATTRIBUTE_NOT_FOUND', message());
}

function collectAttributes({ response }: TargetDeliveryResponse): Map<string, Map<string, JsonValue>> {
  const attributesByMbox = new Map<string, Map<string, JsonValue>>();
  for (const { name, options } of [
    ...(response.prefetch?.mboxes ?? []),
    ...(response.execute?.mboxes ?? []),
  ]) {
    if (name === undefined) continue;
    const attributes = attributesByMbox.get(name) ?? new Map<string, JsonValue>();
    attributesByMbox.set(name, attributes);
    for (const { type, content } of options ?? []) {
      if (type !== 'json' || typeof content !== 'object' || content === null || Array.isArray(content))
        continue;
      for (const [key, value] of Object.entries(content)) attributes.set(key, value as JsonValue);
    }
  }
  return attributesByMbox;
}

/** An object whose keys are data: `Object.fromEntries` defines `__proto__` instead of setting it. */
function toObject(values: ReadonlyMap<string, unknown>): object {
  return Object.fromEntries(values);
}
