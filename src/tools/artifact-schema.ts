/** A part that a client takes as absent may be null. */
const NAMES = { type: ['array', 'null'], items: { type: 'string' } };
const ID = { type: ['integer', 'string', 'null'] };
const NAME = { type: ['string', 'null'] };

function byName(description: string) {
  const additionalProperties = { type: 'array', items: { $ref: '#/$defs/rule' } };
  return { description, type: ['object', 'null'], additionalProperties };
}

/**
 * JSON Schema of the artifact of rules, version 1, in the draft 2020-12. It allows further fields, because newer
 * artifacts may have them. The package has it as the file `artifact.schema.json` too, for editors.
 * @see https://json-schema.org/draft/2020-12
 */
export const ARTIFACT_SCHEMA: object = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Rules of Adobe Target for on-device decisioning',
  type: 'object',
  required: ['version', 'rules'],
  properties: {
    version: {
      description: 'The version of the format. Version 1 is supported.',
      type: 'string',
      pattern: '^1(\\.|$)',
    },
    meta: {
      description: 'Facts about the client and its environment.',
      type: ['object', 'null'],
      properties: {
        clientCode: NAME,
        environment: NAME,
        generatedAt: NAME,
      },
    },
    globalMbox: { description: 'The name of the mbox of page loads.', ...NAME },
    geoTargetingEnabled: {
      description: 'True when rules read the place of a visitor.',
      type: ['boolean', 'null'],
    },
    responseTokens: { description: 'The response tokens that are switched on.', ...NAMES },
    remoteMboxes: { description: 'Mboxes that only the edge can decide completely.', ...NAMES },
    remoteViews: { description: 'Views that only the edge can decide completely.', ...NAMES },
    localMboxes: { description: 'Mboxes that have rules.', ...NAMES },
    localViews: { description: 'Views that have rules.', ...NAMES },
    rules: {
      description: 'The rules by mbox and by view. On an mbox, the first rule that holds answers.',
      type: 'object',
      properties: { mboxes: byName('Rules by mbox.'), views: byName('Rules by view.') },
    },
  },
  $defs: {
    rule: {
      type: 'object',
      required: ['ruleKey', 'meta', 'condition', 'consequence'],
      properties: {
        ruleKey: { description: 'A visitor gets at most one rule of a key.', type: 'string' },
        activityId: {
          description: 'The id that is hashed for the allocation.',
          type: ['integer', 'string', 'null'],
        },
        propertyTokens: {
          description: 'The properties of the rule; none for all.',
          ...NAMES,
        },
        meta: {
          description: 'The activity, experience and offer, such as activity.name.',
          type: 'object',
          properties: {
            'activity.id': ID,
            'activity.name': NAME,
            'activity.type': NAME,
            'experience.id': ID,
            'experience.name': NAME,
          },
        },
        condition: {
          description: 'Who gets it, in JSON Logic: https://jsonlogic.com/operations.html',
          type: ['object', 'boolean'],
        },
        consequence: { $ref: '#/$defs/consequence' },
      },
    },
    consequence: {
      description: 'The offers of a rule.',
      type: 'object',
      properties: {
        name: { type: 'string' },
        options: { type: ['array', 'null'], items: { $ref: '#/$defs/option' } },
        metrics: { type: ['array', 'null'], items: { $ref: '#/$defs/metric' } },
      },
    },
    option: {
      type: 'object',
      properties: {
        type: { enum: ['html', 'json', 'redirect', 'dynamic', 'actions'] },
        eventToken: { type: 'string' },
      },
    },
    metric: {
      type: 'object',
      properties: { type: { enum: ['click', 'display'] }, eventToken: { type: 'string' } },
    },
  },
};
