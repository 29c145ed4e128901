import { describe, expect, test } from '@jest/globals';
import { compileMacros } from '../../../src/on-device/offers/macros.js';

const meta = {
  'activity.id': 42,
  'activity.name': 'Spring',
  'experience.id': 0,
  'experience.name': 'Red',
  'offer.id': 7,
  'audience.ids': [1, 2],
};

const request = {
  name: 'hero',
  index: 3,
  parameters: {
    user: 'Mickey <b>',
    'a.b': 'nested',
    empty: '',
    price: real('$& $1 #{mbox.name}'),
    activity: 'own',
  },
};

/** The tables write `#{name}` for a macro: in this language a text with the real sign looks like a mistake. */
function real(written: string): string {
  return written.replaceAll('#{', '${');
}

describe('a macro', () => {
  test.each([
    // From the rule.
    ['#{activity.id}', '42'],
    ['#{campaign.id}', '42'],
    ['#{campaign.name}', 'Spring'],
    ['#{campaign.recipe.name}', 'Red'],
    ['#{recipe.id}', '0'],
    ['#{activity.experience.name}', 'Red'],
    ['#{offer.id}', '7'],
    ['#{audience.ids}', '1,2'],
    // From the request.
    ['#{mbox.name}', 'hero'],
    ['#{name}', 'hero'],
    ['#{mbox.index}', '3'],
    // From the parameters.
    ['#{user}', 'Mickey <b>'],
    ['#{mbox.user}', 'Mickey <b>'],
    ['#{mbox.a.b}', 'nested'],
    ['#{x.a.b}', 'nested'],
    ['#{mbox.empty}', ''],
    ['#{mbox.campaign}', 'own'],
    ['#{mbox.price}', '$& $1 #{mbox.name}'],
    // As it is written.
    ['#{nobody}', '#{nobody}'],
    ['#{profile.user}', '#{profile.user}'],
    ['#{user', '#{user'],
    ['#{ user }', '#{ user }'],
    ['#{user-name}', '#{user-name}'],
    ['#{}', '#{}'],
    ['#{mbox.}', '#{mbox.}'],
    ['#{mbox.parameters}', '#{mbox.parameters}'],
    ['#{__proto__}', '#{__proto__}'],
    ['#{constructor}', '#{constructor}'],
    ['#{mbox.toString}', '#{mbox.toString}'],
    // Among other text.
    ['$#{user}$', '$Mickey <b>$'],
    ['#{#{user}}', '#{Mickey <b>}'],
    ['<b>#{user}</b> & #{offer.id}#{offer.id}', '<b>Mickey <b></b> & 77'],
  ])('%s becomes %s', (text, expected) => {
    const compiled = compileMacros(real(text), meta);
    expect(compiled ? compiled(request) : real(text)).toBe(real(expected));
  });

  test('costs nothing where there is none', () => {
    expect(compileMacros('<b>5 $ {x}</b>', meta)).toBeUndefined();
    expect(compileMacros('', meta)).toBeUndefined();
  });

  test.each([undefined, null])('stays when there are no parameters (%j)', (parameters) => {
    expect(compileMacros(real('#{user}'), meta)?.({ parameters })).toBe(real('#{user}'));
  });

  test.each(['#{', '#{a', '#{.', '$', '#{a}'])(
    'is looked for in a million characters of %s in linear time',
    (part) => {
      const text = real(part).repeat(1_000_000 / part.length);
      // What is not linear does not end within the test's time limit.
      expect(compileMacros(text, meta)?.(request) ?? text).toBe(text);
    },
  );
});
