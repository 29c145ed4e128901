/** Makes answers comparable: what is new in each call is masked, and what differs on purpose is named here. */

/**
 * Where we and the official SDK differ on purpose. Everything else has to be the same.
 * @type {readonly { why: string, apply: (answer: any) => void }[]}
 */
export const DELIBERATE_DIFFERENCES = [
  {
    why: 'the documentation promises `status` and `decisioningMethod` in the result, only ours has them',
    apply: (answer) => {
      delete answer.result?.status;
      delete answer.result?.decisioningMethod;
    },
  },
  {
    why: 'a request with `execute` has an `impressionId`, so that a retry counts nothing twice; only ours has it',
    apply: (answer) => {
      delete answer.result?.request?.impressionId;
    },
  },
  {
    why: 'the official SDK adds an empty `context.geo`',
    apply: (answer) => {
      for (const { context } of [answer.result?.request ?? {}, ...(answer.notifications ?? [])]) {
        if (context?.geo && Object.keys(context.geo).length === 0) {
          delete context.geo;
        }
      }
    },
  },
];

/** An answer of ours or the official SDK without their deliberate differences. */
export function withoutDeliberateDifferences(answer) {
  const copy = structuredClone(answer);
  for (const { apply } of DELIBERATE_DIFFERENCES) {
    apply(copy);
  }
  return copy;
}

const MASKS = [
  [/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, '<id>'],
  [/[0-9A-F]{16}-[0-9A-F]{16}/g, '<sdid>'],
  [/#\d{10}\b/g, '#<expiry>'],
];

/** A plain copy in which ids, times and expiries are masked. */
export function comparable(value) {
  return JSON.parse(JSON.stringify(value, mask));
}

function mask(key, value) {
  if (key === 'maxAge' || key === 'timestamp') {
    return `<${key}>`;
  }
  if (typeof value !== 'string') {
    return value;
  }
  return MASKS.reduce((text, [pattern, name]) => text.replace(pattern, name), value);
}
