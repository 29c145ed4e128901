/** Artifacts of a few rules, as the tests of tools read them. */
export type Content = string | number | boolean | null | Content[] | { [key: string]: Content };

interface Facts {
  readonly activity?: string;
  readonly id?: number;
}

/** A rule with one option: a text is HTML, and anything else is JSON. */
export function rule(content: Content | undefined, { activity = 'Spring', id = 1 }: Facts = {}): object {
  const options =
    content === undefined ? [] : [{ type: typeof content === 'string' ? 'html' : 'json', content }];
  return {
    ruleKey: '1',
    activityId: id,
    meta: activity === '' ? {} : { 'activity.name': activity, 'experience.name': 'A' },
    condition: true,
    consequence: { options },
  };
}

export function artifactOf(mboxes: Record<string, unknown>, more: object = {}): object {
  return { version: '1.0.0', ...more, rules: { mboxes, views: {} } };
}
