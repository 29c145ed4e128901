/**
 * The shape of an artifact, as Adobe's documentation shows it and as the artifacts of the cross-SDK suites have it. Nothing
 * but this may be in an artifact that is built for tests.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/rule-artifact/rule-artifact-overview
 */
const NAMES = { type: 'array', items: { type: 'string' }, uniqueItems: true };

export const ARTIFACT_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [
    ...[
      'version',
      'meta',
      'globalMbox',
      'geoTargetingEnabled',
      'responseTokens',
      'remoteMboxes',
      'remoteViews',
    ],
    ...['localMboxes', 'localViews', 'rules'],
  ],
  properties: {
    version: { const: '1.0.0' },
    meta: {
      type: 'object',
      required: ['clientCode', 'environment'],
      additionalProperties: false,
      properties: {
        clientCode: { type: 'string', minLength: 1 },
        environment: { const: 'production' },
        generatedAt: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' },
      },
    },
    globalMbox: { type: 'string', minLength: 1 },
    geoTargetingEnabled: { type: 'boolean' },
    responseTokens: NAMES,
    remoteMboxes: NAMES,
    remoteViews: NAMES,
    localMboxes: NAMES,
    localViews: NAMES,
    rules: {
      type: 'object',
      additionalProperties: false,
      required: ['mboxes', 'views'],
      properties: { mboxes: { $ref: '#/$defs/byName' }, views: { $ref: '#/$defs/byName' } },
    },
    targetAdminActivityUrls: { type: 'array' },
  },
  $defs: {
    byName: {
      type: 'object',
      additionalProperties: { type: 'array', minItems: 1, items: { $ref: '#/$defs/rule' } },
    },
    rule: {
      type: 'object',
      additionalProperties: false,
      required: ['ruleKey', 'activityId', 'meta', 'condition', 'consequence'],
      properties: {
        ruleKey: { type: 'string', pattern: '^\\d+(-\\d+)?$' },
        activityId: { type: 'integer' },
        propertyTokens: { type: 'array', items: { type: 'string' } },
        meta: { $ref: '#/$defs/meta' },
        condition: { type: ['object', 'boolean'] },
        consequence: {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'options', 'metrics'],
          properties: {
            name: { type: 'string', minLength: 1 },
            options: { type: 'array', items: { $ref: '#/$defs/option' } },
            metrics: { type: 'array', items: { $ref: '#/$defs/metric' } },
          },
        },
      },
    },
    meta: {
      type: 'object',
      additionalProperties: false,
      required: [
        ...[
          'activity.id',
          'activity.name',
          'activity.type',
          'experience.id',
          'experience.name',
          'location.name',
        ],
        ...['location.type', 'location.id', 'audience.ids', 'option.id'],
      ],
      properties: {
        'activity.id': { type: 'integer' },
        'activity.name': { type: 'string' },
        'activity.type': { enum: ['ab', 'landing'] },
        'experience.id': { type: 'integer' },
        'experience.name': { type: 'string' },
        'location.name': { type: 'string' },
        'location.type': { enum: ['mbox', 'view'] },
        'location.id': { type: 'integer' },
        'audience.ids': { type: 'array', items: { type: 'integer' } },
        'offer.id': { type: 'integer' },
        'offer.name': { type: 'string' },
        'option.id': { type: 'integer' },
        'option.name': { type: 'string' },
      },
    },
    option: {
      type: 'object',
      additionalProperties: false,
      required: ['eventToken'],
      properties: {
        eventToken: { type: 'string', minLength: 1 },
        type: { enum: ['html', 'json', 'redirect', 'dynamic', 'actions'] },
        content: true,
      },
      dependentRequired: { type: ['content'], content: ['type'] },
    },
    metric: {
      type: 'object',
      additionalProperties: false,
      required: ['type', 'eventToken'],
      properties: {
        type: { enum: ['click', 'display'] },
        eventToken: { type: 'string', minLength: 1 },
        selector: { type: 'string', minLength: 1 },
      },
    },
  },
};
