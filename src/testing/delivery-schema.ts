import type {
  AuthenticatedState,
  ChannelType,
  DecisioningMethod,
  ExecutionMode,
  LoggingType,
  MetricType,
} from '../delivery-api.js';

/** The part of JSON Schema that describes a delivery request. */
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

/** The types that JSON Schema knows. */
export type JsonType = 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';

const MAX_INT_32 = 2_147_483_647;

/** Everything that mboxes, views, page loads and notifications have in common. */
const REQUEST_DETAILS = {
  $_type: text(),
  address: component('Address'),
  parameters: component('Parameters'),
  profileParameters: component('Parameters'),
  order: component('Order'),
  product: component('Product'),
};

/**
 * The components of the OpenAPI files that a request is made of, under their names there, and the limits that
 * only their prose gives. An mbox requires `name`, where the files say `mbox`.
 */
export const REQUEST_COMPONENTS: Readonly<Record<string, JsonSchema>> = {
  DeliveryRequest: object(
    {
      requestId: text(128),
      impressionId: text(128),
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
    tntId: text(128),
    thirdPartyId: text(128),
    marketingCloudVisitorId: text(128),
    customerIds: list(component('CustomerId'), { maxItems: 50 }),
  }),
  CustomerId: object(
    { id: text(128), integrationCode: text(50), authenticatedState: component('AuthenticatedState') },
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
      version: text(128),
    },
    ['deviceType', 'platformType'],
  ),
  DeviceType: oneOf('phone', 'tablet'),
  MobilePlatformType: oneOf('android', 'ios'),
  Application: object({ id: text(250), name: text(250), version: text(128) }),
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
  Address: object({ url: text(4096), referringUrl: text(4096) }),
  Geo: object({
    ipAddress: text(),
    latitude: number('float'),
    longitude: number('float'),
    countryCode: text(2, 2),
    stateCode: text(3, 1),
    city: text(50),
    zip: text(12),
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
  AudienceManager: object({ locationHint: { type: 'integer', minimum: 1 }, blob: text(1024, 1) }),
  AnalyticsRequest: object({
    supplementalDataId: text(33, 33),
    logging: component('LoggingType'),
    trackingServer: text(),
    trackingServerSecure: text(),
  }),
  LoggingType: oneOf<LoggingType>('server_side', 'client_side'),

  ExecuteRequest: object({ pageLoad: component('RequestDetails'), mboxes: list(component('MboxRequest')) }),
  PrefetchRequest: object({
    views: list(component('ViewRequest')),
    pageLoad: component('RequestDetails'),
    mboxes: list(component('MboxRequest')),
  }),
  RequestDetails: object(REQUEST_DETAILS),
  MboxRequest: object(
    {
      ...REQUEST_DETAILS,
      index: { ...integer('int32'), minimum: -MAX_INT_32 - 1, maximum: MAX_INT_32 },
      name: text(),
    },
    ['index', 'name'],
  ),
  ViewRequest: object({ ...REQUEST_DETAILS, name: text(128), key: text(512) }),
  Parameters: { type: 'object', maxProperties: 50, additionalProperties: text(5000) },
  Order: object({
    id: text(250),
    total: { type: 'number', minimum: 0 },
    purchasedProductIds: list(text(50)),
    time: { type: 'string', format: 'date-time' },
    experienceLocalId: { type: 'integer', minimum: 0, maximum: MAX_INT_32 },
    duplicate: flag(),
    outlier: flag(),
  }),
  Product: object({ id: text(128), categoryId: text(128) }),

  Notification: object(
    {
      ...REQUEST_DETAILS,
      id: text(200),
      impressionId: text(128),
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
  NotificationMbox: object({ name: text(250), state: text() }),
  NotificationView: object({ name: text(128), key: text(512), state: text() }),
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

/** The schema of a delivery request. When it is strict, a field that no OpenAPI file names is a violation. */
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
