const OFFERS = { $ref: '#/$defs/offers' };
const TOKEN = { description: 'The token that reports it. Without one, the edge makes one.', type: 'string' };
const ANALYTICS = {
  description: 'Data for Adobe Analytics. They are sent with client-side logging only.',
  type: 'object',
};

function byName(description: string) {
  return { description, type: 'object', additionalProperties: OFFERS };
}

function offerOf(types: readonly string[], content: object) {
  return {
    type: 'object',
    required: ['type', 'content'],
    additionalProperties: false,
    properties: {
      type: { enum: types },
      content,
      responseTokens: {
        description: 'Facts about the activity and experience, such as activity.name.',
        type: 'object',
      },
      eventToken: TOKEN,
    },
  };
}

/**
 * JSON Schema of a file with the offers of the local edge, in the draft 2020-12: what `edge --offers` and
 * `startTargetEdge({ offers })` take. The package has it as the file `offers.schema.json` too, for editors.
 * @see https://json-schema.org/draft/2020-12
 */
export const OFFERS_SCHEMA: object = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Offers of the local edge for Adobe Target',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { description: 'The place of this schema, for editors.', type: 'string' },
    mboxes: byName('Offers by the name of the mbox.'),
    views: byName('Offers by the name of the view.'),
    pageLoad: { description: 'Offers of the page load, which is the global mbox.', ...OFFERS },
  },
  $defs: {
    offers: {
      description: 'One offer, several offers, or offers with metrics and data for Analytics.',
      anyOf: [{ $ref: '#/$defs/offer' }, { $ref: '#/$defs/list' }, { $ref: '#/$defs/script' }],
    },
    list: { type: 'array', items: { $ref: '#/$defs/offer' } },
    offer: {
      anyOf: [
        offerOf(['html', 'redirect', 'dynamic'], {
          description: 'HTML for the page, the URL to go to, or the URL that has the content.',
          type: 'string',
        }),
        offerOf(['json'], { description: 'Data for the application, such as feature flags.' }),
        offerOf(['actions'], {
          description: 'Changes of the page, in the form of the Visual Experience Composer.',
          type: 'array',
          items: { type: 'object' },
        }),
      ],
    },
    script: {
      type: 'object',
      required: ['options'],
      additionalProperties: false,
      properties: {
        options: {
          description: 'The offers to show, one or several.',
          anyOf: [{ $ref: '#/$defs/offer' }, { $ref: '#/$defs/list' }],
        },
        metrics: {
          description: 'The events that can be reported for the location.',
          type: 'array',
          items: { $ref: '#/$defs/metric' },
        },
        analytics: ANALYTICS,
      },
    },
    metric: {
      type: 'object',
      properties: {
        type: { description: 'The kind of event; click without one.', enum: ['click', 'display'] },
        selector: { description: 'The CSS selector of the element to watch.', type: 'string' },
        eventToken: TOKEN,
        analytics: ANALYTICS,
      },
    },
  },
};
