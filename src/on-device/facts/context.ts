import type { Address, Context, Geo, Parameters } from '../../delivery-api.js';
import { type AllocatedVisitor, allocate } from './allocation.js';
import { ALL_CONTEXT_PARTS, type ConditionContext, type ContextParts, contextPart } from './context-parts.js';
import type { HashPrefix } from './murmur3.js';
import { type Page, parsePage } from './page.js';
import { type ParameterTree, toParameterTree } from './parameter-tree.js';
import { type GeoFacts, toGeoFacts } from './place.js';
import { parseUser, type User } from './user-agent.js';

/**
 * Describes an activity. All rules of an activity share one object. So a visitor's allocation is computed once per
 * call.
 */
export interface Activity {
  readonly id: number | string;
  /** Hash of the beginning of the activity's allocation keys. */
  readonly prefix: HashPrefix;
  /** Number of the last call that computed its visitor's allocation here. {@link lastAllocation} is the result. */
  lastCall: number;
  /** Allocation of the visitor of that call, from 0 to 99.99. */
  lastAllocation: number;
}

const ALLOCATION = contextPart('allocation');
const TIMESTAMP = contextPart('current_timestamp');
const TIME = contextPart('current_time') | contextPart('current_day');
const USER = contextPart('user');
const PAGE = contextPart('page');
const REFERRING = contextPart('referring');
const GEO = contextPart('geo');
const MBOX = contextPart('mbox');

let calls = 0;

/**
 * Holds the facts that all locations of one call have in common. Each is computed when it is read for the first time.
 */
export class CallContext {
  readonly nowMs: number;
  readonly request: Context;
  readonly #visitor: AllocatedVisitor;
  readonly #geo: Geo | null | undefined;
  readonly #number = ++calls;
  #geoFacts: GeoFacts | undefined;
  #user: User | undefined;
  #page: Page | undefined;
  #referring: Page | undefined;
  #time: CallTime | undefined;

  constructor(
    request: Context,
    call: { nowMs: number; visitor: AllocatedVisitor; geo: Geo | null | undefined },
  ) {
    this.request = request;
    this.nowMs = call.nowMs;
    this.#visitor = call.visitor;
    this.#geo = call.geo;
  }

  /** The visitor's geographic data; undefined when none are known. */
  get geo(): GeoFacts | undefined {
    if (this.#geo) {
      this.#geoFacts ??= toGeoFacts(this.#geo);
    }
    return this.#geoFacts;
  }

  get user(): User {
    this.#user ??= parseUser(this.request.userAgent, this.request.clientHints);
    return this.#user;
  }

  /** Page at the `url` of the request's address. Locations with an address of their own do not use it. */
  get page(): Page {
    this.#page ??= parsePage(this.request.address?.url);
    return this.#page;
  }

  /** Page at the `referringUrl` of the request's address. Locations with an address of their own do not use it. */
  get referring(): Page {
    this.#referring ??= parsePage(this.request.address?.referringUrl);
    return this.#referring;
  }

  get time(): CallTime {
    this.#time ??= toTime(this.nowMs);
    return this.#time;
  }

  /**
   * Returns the visitor's allocation, which is computed once per activity and call. The result is kept in the
   * activity, because a Map per call is slower.
   */
  allocation(activity: Activity): number {
    if (activity.lastCall !== this.#number) {
      activity.lastCall = this.#number;
      activity.lastAllocation = allocate(activity.prefix, this.#visitor.key);
    }
    return activity.lastAllocation;
  }
}

interface CallTime {
  readonly time: string;
  readonly day: number;
}

function toTime(ms: number): CallTime {
  const now = new Date(ms);
  const time = `${twoDigits(now.getUTCHours())}${twoDigits(now.getUTCMinutes())}`;
  return { time, day: now.getUTCDay() || 7 };
}

/**
 * Holds the facts that the conditions of one location read. Its public properties are exactly the parts that
 * conditions can name. Each gets its value before the first rule that reads it is evaluated.
 */
export class LocationContext implements ConditionContext {
  allocation = 0;
  current_timestamp = 0;
  current_time = '';
  current_day = 0;
  user: User | undefined = undefined;
  page: Page | undefined = undefined;
  referring: Page | undefined = undefined;
  geo: GeoFacts | undefined = undefined;
  mbox: ParameterTree | undefined = undefined;
  readonly #call: CallContext;
  readonly #address: Address | null | undefined;
  readonly #parameters: Parameters | null | undefined;
  #filled: ContextParts = 0;

  /**
   * Takes the location's address and parameters. Its address, when there is one, replaces both URLs of the request's
   * address.
   */
  constructor(
    call: CallContext,
    address: Address | null | undefined,
    parameters: Parameters | null | undefined,
  ) {
    this.#call = call;
    this.#address = address;
    this.#parameters = parameters;
  }

  /** Computes those of the given parts that are missing. The allocation is that of the given activity. */
  fill(parts: ContextParts, activity: Activity): void {
    if (parts & ALLOCATION) {
      this.allocation = this.#call.allocation(activity);
    }
    const missing = parts & ~this.#filled & ~ALLOCATION;
    if (missing === 0) {
      return;
    }
    this.#filled |= missing;
    if (missing & TIMESTAMP) {
      this.current_timestamp = this.#call.nowMs;
    }
    if (missing & TIME) {
      this.#fillTime();
    }
    if (missing & USER) {
      this.user = this.#call.user;
    }
    if (missing & (PAGE | REFERRING)) {
      this.#fillPages(missing);
    }
    if (missing & GEO) {
      this.geo = this.#call.geo ?? {};
    }
    if (missing & MBOX) {
      this.mbox = toParameterTree(this.#parameters);
    }
  }

  /** Returns a copy of all parts, for a trace. */
  snapshot(activity: Activity): object {
    this.fill(ALL_CONTEXT_PARTS, activity);
    return { ...this };
  }

  #fillTime(): void {
    const { time, day } = this.#call.time;
    this.current_time = time;
    this.current_day = day;
  }

  #fillPages(missing: ContextParts): void {
    const own = this.#address;
    if (missing & PAGE) {
      this.page = own ? parsePage(own.url) : this.#call.page;
    }
    if (missing & REFERRING) {
      this.referring = own ? parsePage(own.referringUrl) : this.#call.referring;
    }
  }
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
