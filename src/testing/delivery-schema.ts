import type {
  AuthenticatedState,
  ChannelType,
  DecisioningMethod,
  ExecutionMode,
  LoggingType,
  MetricType,
} from '../delivery-api.js';
import { EDGE_LIMITS as LIMITS } from '../delivery-api.js';

/**
 * The part of JSON Schema 2019-09 that is needed to describe a delivery request.
 * @see https://json-schema.org/draft/2019-09
 */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: JsonType | JsonType[];
  enum?: string[];
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  maxProperties?: number;
  additionalProperties?: JsonSchema | boolean;
}

/** The types of JSON Schema. */
export type JsonType = 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';

/** The fields that mboxes, views, page loads and notifications share. */
const REQUEST_DETAILS = {
  $_type: text(),
  address: component('Address'),
  parameters: component('Parameters'),
  profileParameters: component('Parameters'),
  order: component('Order'),
  product: component('Product'),
};

/**
 * The schemas of a delivery request by component, with the names of Adobe's OpenAPI files and the limits of
 * `EDGE_LIMITS`. There is one difference: an mbox requires the field `name` here. The files require a field `mbox`,
 * which they do not define.
 * @see https://developers.adobetarget.com/api/delivery-api/
 */
export const REQUEST_COMPONENTS: Readonly<Record<string, JsonSchema>> = {
  DeliveryRequest: object(
    {
      requestId: text(LIMITS.DeliveryRequest.requestId),
      impressionId: text(LIMITS.DeliveryRequest.impressionId),
      id: component('VisitorId'),
      environmentId: integer('int64'),
      property: component('Property'),
      trace: component('Trace'),
      context: component('Context'),
      experienceCloud: component('ExperienceCloud'),
      execute: component('ExecuteRequest'),
      prefetch: component('PrefetchRequest'),
      telemetry: component('Telemetry'),
      notifications: list(component('Notification')),
      qaMode: component('QAMode'),
      preview: component('Preview'),
    },
    ['context'],
  ),

  VisitorId: object({
    tntId: text(LIMITS.VisitorId.tntId),
    thirdPartyId: text(LIMITS.VisitorId.thirdPartyId),
    marketingCloudVisitorId: text(LIMITS.VisitorId.marketingCloudVisitorId),
    customerIds: list(component('CustomerId'), { maxItems: LIMITS.VisitorId.customerIds }),
  }),
  CustomerId: object(
    {
      id: text(LIMITS.CustomerId.id),
      integrationCode: text(LIMITS.CustomerId.integrationCode),
      authenticatedState: component('AuthenticatedState'),
    },
    ['id', 'integrationCode', 'authenticatedState'],
  ),
  AuthenticatedState: oneOf<AuthenticatedState>('unknown', 'authenticated', 'logged_out'),
  Property: object({ token: text() }, ['token']),
  Trace: object({ authorizationToken: text(), usage: { type: 'object', additionalProperties: text() } }, [
    'authorizationToken',
  ]),

  Context: object(
    {
      channel: component('ChannelType'),
      mobilePlatform: component('MobilePlatform'),
      application: component('Application'),
      screen: component('Screen'),
      window: component('Window'),
      browser: component('Browser'),
      address: component('Address'),
      geo: component('Geo'),
      timeOffsetInMinutes: number('double'),
      userAgent: text(),
      clientHints: component('ClientHints'),
      beacon: flag(),
    },
    ['channel'],
  ),
  ChannelType: oneOf<ChannelType>('mobile', 'web'),
  MobilePlatform: object(
    {
      deviceName: text(),
      deviceType: component('DeviceType'),
      platformType: component('MobilePlatformType'),
      version: text(LIMITS.MobilePlatform.version),
    },
    ['deviceType', 'platformType'],
  ),
  DeviceType: oneOf('phone', 'tablet'),
  MobilePlatformType: oneOf('android', 'ios'),
  Application: object({
    id: text(LIMITS.Application.id),
    name: text(LIMITS.Application.name),
    version: text(LIMITS.Application.version),
  }),
  Screen: object({
    width: number('double'),
    height: number('double'),
    colorDepth: number('double'),
    pixelRatio: number('double'),
    orientation: component('ScreenOrientationType'),
  }),
  ScreenOrientationType: oneOf('portrait', 'landscape'),
  Window: object({ width: number('double'), height: number('double') }),
  Browser: object({ host: text(), language: text(), webGLRenderer: text() }),
  Address: object({ url: text(LIMITS.Address.url), referringUrl: text(LIMITS.Address.referringUrl) }),
  Geo: object({
    ipAddress: text(),
    latitude: number('float'),
    longitude: number('float'),
    countryCode: text(LIMITS.Geo.countryCode, LIMITS.Geo.countryCode),
    stateCode: text(LIMITS.Geo.stateCode, 1),
    city: text(LIMITS.Geo.city),
    zip: text(LIMITS.Geo.zip),
  }),
  ClientHints: object({
    mobile: flag(),
    model: text(),
    platform: text(),
    platformVersion: text(),
    browserUAWithMajorVersion: text(),
    browserUAWithFullVersion: text(),
    architecture: text(),
    bitness: text(),
  }),

  ExperienceCloud: object({
    audienceManager: component('AudienceManager'),
    analytics: component('AnalyticsRequest'),
  }),
  AudienceManager: object({
    locationHint: { type: 'integer', minimum: 1 },
    blob: text(LIMITS.AudienceManager.blob, 1),
  }),
  AnalyticsRequest: object({
    supplementalDataId: text(
      LIMITS.AnalyticsRequest.supplementalDataId,
      LIMITS.AnalyticsRequest.supplementalDataId,
    ),
    logging: component('LoggingType'),
    trackingServer: text(),
    trackingServerSecure: text(),
  }),
  LoggingType: oneOf<LoggingType>('server_side', 'client_side'),

  ExecuteRequest: object({
    pageLoad: component('RequestDetails'),
    mboxes: list(component('MboxRequest'), { maxItems: LIMITS.ExecuteRequest.mboxes }),
  }),
  PrefetchRequest: object({
    views: list(component('ViewRequest')),
    pageLoad: component('RequestDetails'),
    mboxes: list(component('MboxRequest'), { maxItems: LIMITS.PrefetchRequest.mboxes }),
  }),
  RequestDetails: object(REQUEST_DETAILS),
  MboxRequest: object(
    {
      ...REQUEST_DETAILS,
      index: {
        ...integer('int32'),
        minimum: -LIMITS.MboxRequest.index - 1,
        maximum: LIMITS.MboxRequest.index,
      },
      name: text(),
    },
    ['index', 'name'],
  ),
  ViewRequest: object({
    ...REQUEST_DETAILS,
    name: text(LIMITS.ViewRequest.name),
    key: text(LIMITS.ViewRequest.key),
  }),
  Parameters: {
    type: 'object',
    maxProperties: LIMITS.Parameters.count,
    additionalProperties: text(LIMITS.Parameters.value),
  },
  Order: object({
    id: text(LIMITS.Order.id),
    total: { type: 'number', minimum: 0 },
    purchasedProductIds: list(text(LIMITS.Order.purchasedProductId)),
    time: { type: 'string', format: 'date-time' },
    experienceLocalId: { type: 'integer', minimum: 0, maximum: LIMITS.Order.experienceLocalId },
    duplicate: flag(),
    outlier: flag(),
  }),
  Product: object({ id: text(LIMITS.Product.id), categoryId: text(LIMITS.Product.categoryId) }),

  Notification: object(
    {
      ...REQUEST_DETAILS,
      id: text(LIMITS.Notification.id),
      impressionId: text(LIMITS.Notification.impressionId),
      type: component('MetricType'),
      timestamp: integer('int64'),
      tokens: list(text()),
      mbox: component('NotificationMbox'),
      view: component('NotificationView'),
      pageLoad: component('NotificationPageLoad'),
    },
    ['id', 'type', 'timestamp'],
  ),
  MetricType: oneOf<MetricType>('click', 'display'),
  NotificationMbox: object({ name: text(LIMITS.NotificationMbox.name), state: text() }),
  NotificationView: object({
    name: text(LIMITS.NotificationView.name),
    key: text(LIMITS.NotificationView.key),
    state: text(),
  }),
  NotificationPageLoad: object({ state: text() }),

  Telemetry: object({ entries: list(component('TelemetryEntry')) }),
  TelemetryEntry: object({
    requestId: text(),
    timestamp: integer('int64'),
    mode: component('ExecutionMode'),
    execution: number('double'),
    parsing: number('double'),
    features: component('TelemetryFeatures'),
    request: component('TelemetryRequest'),
    telemetryServerToken: text(),
  }),
  ExecutionMode: oneOf<ExecutionMode>('edge', 'local'),
  TelemetryFeatures: object({
    decisioningMethod: component('DecisioningMethod'),
    executeMboxCount: integer(),
    executePageLoad: flag(),
    prefetchMboxCount: integer(),
    prefetchPageLoad: flag(),
    prefetchViewCount: integer(),
  }),
  DecisioningMethod: oneOf<DecisioningMethod>('server-side', 'on-device', 'hybrid'),
  TelemetryRequest: object({
    dns: number('double'),
    tls: number('double'),
    timeToFirstByte: number('double'),
    download: number('double'),
    responseSize: integer('int64'),
  }),

  QAMode: object({
    token: text(),
    listedActivitiesOnly: flag(),
    evaluateAsTrueAudienceIds: list(integer('int64')),
    evaluateAsFalseAudienceIds: list(integer('int64')),
    previewIndexes: list(component('QAModePreviewIndex'), { minItems: 1 }),
  }),
  QAModePreviewIndex: object({
    activityIndex: { type: ['integer', 'null'], minimum: 1 },
    experienceIndex: { type: ['integer', 'null'], minimum: 1 },
  }),
  Preview: object({ token: text() }),
};

/** Makes the schema of a delivery request. With `strict`, fields that no OpenAPI file names are violations. */
export function deliveryRequestSchema(strict: boolean): JsonSchema {
  const components = Object.entries(REQUEST_COMPONENTS).map(([name, schema]): [string, JsonSchema] => [
    name,
    strict && schema.properties ? { ...schema, additionalProperties: false } : schema,
  ]);
  return { ...component('DeliveryRequest'), $defs: Object.fromEntries(components) };
}

function component(name: string): JsonSchema {
  return { $ref: `#/$defs/${name}` };
}

function object(properties: Record<string, JsonSchema>, required?: string[]): JsonSchema {
  return required ? { type: 'object', properties, required } : { type: 'object', properties };
}

function list(items: JsonSchema, limits?: Pick<JsonSchema, 'minItems' | 'maxItems'>): JsonSchema {
  return { type: 'array', items, ...limits };
}

function text(maxLength?: number, minLength?: number): JsonSchema {
  return {
    type: 'string',
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
  };
}

function integer(format?: 'int32' | 'int64'): JsonSchema {
  return format ? { type: 'integer', format } : { type: 'integer' };
}

function number(format: 'float' | 'double'): JsonSchema {
  return { type: 'number', format };
}

function flag(): JsonSchema {
  return { type: 'boolean' };
}

function oneOf<T extends string>(...values: T[]): JsonSchema {
  return { type: 'string', enum: values };
}
