import { invalidField } from '../errors.js';
import {
  type Field,
  flag,
  integer,
  ipAddress,
  json,
  list,
  number,
  object,
  oneOf,
  parameters,
  text,
} from './fields.js';

/** The Delivery API's request, field by field, with the limits of its OpenAPI files. */

/** How many customer ids a request may have. */
export const MAX_CUSTOMER_IDS = 50;

/** How long the address of a page may be. */
export const MAX_ADDRESS_LENGTH = 4096;

/** How long a visitor's or a request's id may be. */
export const MAX_ID_LENGTH = 128;

/** How long a supplemental data id is. */
export const SDID_LENGTH = 33;

const MAX_INT_32 = 2 ** 31 - 1;

/** The indexes that mboxes may have. */
export const MIN_INDEX = -MAX_INT_32 - 1;
export const MAX_INDEX = MAX_INT_32;

const MAX_PRODUCT_IDS_LENGTH = 250;

const address = object({ url: text(MAX_ADDRESS_LENGTH), referringUrl: text(MAX_ADDRESS_LENGTH) });

const productIds = list(text(50));

const purchasedProductIds: Field = (value, at) => {
  const copies = productIds(value, at) as readonly string[] | undefined;
  if (copies && copies.join().length > MAX_PRODUCT_IDS_LENGTH) {
    throw invalidField('', `at most ${MAX_PRODUCT_IDS_LENGTH} characters with its commas`, value);
  }
  return copies;
};

const isoTime = text();

/** A date is sent as ISO 8601, as it would be by `JSON.stringify`. */
const time: Field = (value, at) =>
  isoTime(value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value, at);

const order = object({
  id: text(250),
  total: number(0),
  purchasedProductIds,
  time,
  experienceLocalId: integer(0, MAX_INT_32),
  duplicate: flag,
  outlier: flag,
});

const details = {
  address,
  parameters,
  profileParameters: parameters,
  order,
  product: object({ id: text(128), categoryId: text(128) }),
};

const namedMbox = object({ ...details, name: text(), index: integer(MIN_INDEX, MAX_INDEX) });

const mbox: Field = (value, at) => {
  const copy = namedMbox(value, at) as { name?: string } | undefined;
  if (copy?.name !== undefined) return copy;
  at.dropped(`the mbox at position ${at.index}, which has no name`);
  return undefined;
};

const namedMboxes = list(mbox);

/** An mbox without an index gets its position, or the next number that no other mbox was given. */
const mboxes: Field = (value, at) => {
  const copies = namedMboxes(value, at) as { name: string; index?: number }[] | undefined;
  if (!copies || copies.every(({ index }) => index !== undefined)) return copies;
  const taken = new Set(copies.map(({ index }) => index));
  copies.forEach((copy, position) => {
    if (copy.index !== undefined) return;
    let index = position;
    while (taken.has(index)) index += 1;
    taken.add(index);
    copy.index = index;
  });
  return copies;
};

const pageLoad = object(details, { keepEmpty: true });
const view = object({ ...details, name: text(128), key: text(512) }, { keepEmpty: true });

const knownNotification = object({
  ...details,
  id: text(200),
  impressionId: text(128),
  type: oneOf('click', 'display'),
  timestamp: number(),
  tokens: list(text()),
  mbox: object({ name: text(250), state: text() }),
  view: object({ name: text(128), key: text(512), state: text() }),
  pageLoad: object({ state: text() }),
});

const notification: Field = (value, at) => {
  const { id, type, timestamp } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const fault =
    typeof id !== 'string' || id === ''
      ? 'no id'
      : type !== 'click' && type !== 'display'
        ? 'no type "click" or "display"'
        : !Number.isFinite(timestamp) && 'no numeric timestamp';
  if (!fault) {
    const copy = knownNotification(value, at) as { timestamp: number };
    // `performance.timeOrigin + performance.now()` is a timestamp too, but the API counts whole milliseconds.
    return { ...copy, timestamp: Math.trunc(copy.timestamp) };
  }
  at.dropped(`the notification at position ${at.index}, which has ${fault}`);
  return undefined;
};

const customerId = object(
  {
    id: text(128),
    integrationCode: text(50),
    authenticatedState: oneOf('unknown', 'authenticated', 'logged_out'),
  },
  { required: ['id', 'integrationCode', 'authenticatedState'] },
);

const context = object(
  {
    channel: oneOf('web', 'mobile'),
    mobilePlatform: object(
      {
        deviceName: text(),
        deviceType: oneOf('phone', 'tablet'),
        platformType: oneOf('android', 'ios'),
        version: text(128),
      },
      { required: ['deviceType', 'platformType'] },
    ),
    application: object({ id: text(250), name: text(250), version: text(128) }),
    screen: object({
      width: number(),
      height: number(),
      colorDepth: number(),
      pixelRatio: number(),
      orientation: oneOf('portrait', 'landscape'),
    }),
    window: object({ width: number(), height: number() }),
    browser: object({ host: text(), language: text(), webGLRenderer: text() }),
    address,
    geo: object({
      ipAddress,
      latitude: number(),
      longitude: number(),
      countryCode: text(),
      stateCode: text(),
      city: text(50),
      zip: text(12),
    }),
    timeOffsetInMinutes: number(),
    userAgent: text(),
    clientHints: object({
      mobile: flag,
      model: text(),
      platform: text(),
      platformVersion: text(),
      browserUAWithMajorVersion: text(),
      browserUAWithFullVersion: text(),
      architecture: text(),
      bitness: text(),
    }),
    beacon: flag,
  },
  { keepEmpty: true },
);

const experienceCloud = object({
  audienceManager: object({ locationHint: integer(1), blob: text(1024) }),
  analytics: object({
    supplementalDataId: text(SDID_LENGTH, SDID_LENGTH),
    logging: oneOf('server_side', 'client_side'),
    trackingServer: text(),
    trackingServerSecure: text(),
  }),
});

const qaMode = object({
  token: text(),
  listedActivitiesOnly: flag,
  evaluateAsTrueAudienceIds: list(integer()),
  evaluateAsFalseAudienceIds: list(integer()),
  previewIndexes: list(object({ activityIndex: integer(1), experienceIndex: integer(1) })),
});

/** Checks and copies a whole request; undefined when nothing is in it. */
export const requestFields: Field = object({
  requestId: text(MAX_ID_LENGTH),
  impressionId: text(128),
  id: object({
    tntId: text(MAX_ID_LENGTH),
    thirdPartyId: text(MAX_ID_LENGTH),
    marketingCloudVisitorId: text(MAX_ID_LENGTH),
    customerIds: list(customerId, MAX_CUSTOMER_IDS),
  }),
  environmentId: integer(),
  property: object({ token: text() }),
  trace: object({ authorizationToken: text(), usage: json }, { keepEmpty: true }),
  context,
  experienceCloud,
  execute: object({ pageLoad, mboxes }),
  prefetch: object({ views: list(view), pageLoad, mboxes }),
  telemetry: object({ entries: list(json) }),
  notifications: list(notification),
  qaMode,
  preview: object({ token: text() }),
});
