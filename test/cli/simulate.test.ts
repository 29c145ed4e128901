import { describe, expect, test } from '@jest/globals';
import { activity, audience, buildArtifact, json } from 'target-node-sdk/testing';
import { runCli, withFiles } from './run-cli.js';

const file = withFiles();
const experiences = { Red: [50, json({ n: 1 })], Blue: [50, json({ n: 2 })] } as const;
const rulesOf = (...activities: Parameters<typeof buildArtifact>[0]['activities']) =>
  buildArtifact({ activities, client: 'acme', ids: 'stable' });
const sale = activity('Spring sale').mbox('hero');
const even = rulesOf(sale.split({ ...experiences }));

/** Writes rules in which the ranges of two experiences are others than a builder makes: `> 50` is written anew. */
function withRange(name: string, pattern: RegExp, range: string): string {
  const text = JSON.stringify(even);
  expect(text).toMatch(pattern);
  return file(name, text.replace(pattern, range));
}

const good = file('even.json', even);
const END_OF_RED = /\{">":\[50(\.01)?,\{"var":"allocation"\}\]\}/;
const overlap = withRange('overlap.json', END_OF_RED, '{">":[60,{"var":"allocation"}]}');
const gap = withRange('gap.json', END_OF_RED, '{">":[40,{"var":"allocation"}]}');

async function simulated(path: string, ...more: string[]) {
  const { code, out, err } = await runCli(['simulate', path, '--mbox', 'hero', ...more], { columns: 120 });
  const lines = out.trimEnd().split('\n');
  return { code, out, err, last: lines.at(-1) ?? '' };
}

describe('a split that is as it should be', () => {
  test('ends with the only sign of a good one', async () => {
    expect(await simulated(good)).toMatchObject({ code: 0, last: '✓ the counts fit the shares' });
  });

  test('is not said of an activity that splits nothing', async () => {
    const path = file('only.json', rulesOf(sale.only(json({ n: 1 }))));
    const { code, last } = await simulated(path);
    expect(code).toBe(0);
    expect(last).toBe('· nothing is split: all visitors get the same experience of an activity');
  });
});

describe('a split that is not as configured', () => {
  test('says which experience loses how many visitors to those before it', async () => {
    const { code, out, last } = await simulated(overlap);
    expect(out).toMatch(
      /! Blue: configured (49\.99|50\.00|50\.01) %, (9\.99|10\.00|10\.01) % go to other experiences before it/,
    );
    expect(out).not.toContain('Red: configured');
    expect(last).toMatch(/^! the counts fit what is expected, but the shares are doubtful/);
    expect(code).toBe(1);
  });

  test('says how many visitors are in no share', async () => {
    const { code, out, last } = await simulated(gap);
    expect(out).toMatch(/! (9\.99|10\.00|10\.01) % of the visitors are in no share of it/);
    expect(last).toMatch(/^! /);
    expect(code).toBe(1);
  });

  test('is said of the counts of a report too, which are parts of those whom it counts', async () => {
    const report = ['--observed', 'Red=6000', '--observed', 'Blue=4000'];
    const { code, out } = await simulated(overlap, ...report);
    expect(out).toMatch(/! Blue: configured .* %, some of them go to other experiences before it/);
    expect(code).toBe(1);
    expect((await simulated(gap, '--observed', 'Red=4000', '--observed', 'Blue=5000')).out).toMatch(
      /are in no share of it/,
    );
  });

  test('is not said of priorities, which take from all experiences alike', async () => {
    const first = activity('First')
      .mbox('hero')
      .split(experiences)
      .priority(9)
      .when(audience.param('a').is('1'));
    const path = file('priorities.json', rulesOf(first, sale.split({ ...experiences })));
    const { code, out } = await simulated(path, '--param', 'a=1');
    expect(out).toContain('activities before it take 100.00 %');
    expect(out).not.toContain('configured');
    expect(code).toBe(0);
  });
});

describe('a split that nobody meets', () => {
  const limited = sale.split({ ...experiences });
  test.each([
    ['a parameter', limited.when(audience.param('plan').is('gold')), ['--param', 'plan=gold']],
    ['a place', limited.when(audience.country('US')), ['--geo', 'country=US']],
    ['a browser', limited.when(audience.browser('firefox')), ['--browser', 'Firefox']],
    ['Chrome', limited.when(audience.browser('chrome')), ['--browser', 'chrome']],
    ['Edge', limited.when(audience.browser('edge')), ['--browser', 'edge']],
    ['Safari', limited.when(audience.browser('safari')), ['--browser', 'safari']],
    ['a phone', limited.when(audience.browser('mobile safari')), ['--browser', 'iphone']],
    ['a property', limited.property('token-1'), ['--property', 'token-1']],
  ])('for want of %s is no good one', async (name, one, flags) => {
    const path = file(`${name}.json`, rulesOf(one));
    const { code, last, out } = await simulated(path);
    expect(code).toBe(1);
    expect(out).not.toContain('✓');
    expect(last).toMatch(/^(!|\s)/);
    expect(out).toMatch(/nobody got an experience|there is no split/);
    expect(await simulated(path, ...flags)).toMatchObject({ code: 0, last: '✓ the counts fit the shares' });
  });

  test('is none for a report either, and the counts are not called wrong', async () => {
    const path = file('gold.json', rulesOf(limited.when(audience.param('plan').is('gold'))));
    const { code, out, last } = await simulated(path, '--observed', 'Red=5000', '--observed', 'Blue=5000');
    expect(code).toBe(1);
    expect(out).not.toContain('✗');
    expect(`${out}${last}`).toContain('by these rules nobody gets an experience');
  });
});

describe('a place that only the edge can decide', () => {
  test('is named with the reason, and the counts prove nothing', async () => {
    const path = file('remote.json', { ...even, remoteMboxes: ['hero'], localMboxes: [] });
    const { code, out, last } = await simulated(path);
    expect(code).toBe(1);
    expect(out).toContain('! the artifact lists this mbox as remote');
    expect(out).not.toContain('✓');
    expect(last).toMatch(/^! only the edge can decide this: the counts say nothing/);
    const report = await simulated(path, '--observed', 'Red=5060', '--observed', 'Blue=4940');
    expect(report).toMatchObject({ code: 0, last: '✓ the counts fit the shares' });
    expect(report.out).toContain('! the artifact lists this mbox as remote');
  });

  test('of which there is no rule gets the name that is meant', async () => {
    const { code, out } = await runCli(['simulate', good, '--mbox', 'heroo'], { columns: 120 });
    expect(code).toBe(1);
    expect(out).toContain('! there is no split: no rule names this mbox; did you mean hero?');
  });
});

describe('too few visitors', () => {
  test('prove nothing', async () => {
    const ids = file('ids.txt', 'a\nb\nc\n');
    const { code, out, last } = await simulated(good, '--ids', ids);
    expect(code).toBe(1);
    expect(out).not.toContain('✓');
    expect(last).toBe('! too few visitors to test the split (3): give more --visitors or --ids');
    expect((await simulated(good, '--visitors', '50')).code).toBe(0);
  });

  test('of a report prove nothing', async () => {
    const { code, last } = await simulated(good, '--observed', 'Red=2', '--observed', 'Blue=1');
    expect([code, last]).toEqual([1, '! too few visitors to test the split (3): wait for more of them']);
    const none = await simulated(good, '--observed', 'Red=0', '--observed', 'Blue=0');
    expect([none.code, none.last]).toEqual([1, '! the report counts nobody: nothing was tested']);
  });
});

describe('the counts of a report', () => {
  test('name what they leave out', async () => {
    const { code, out } = await simulated(good, '--observed', 'Red=5000');
    expect(code).toBe(1);
    expect(out).toContain('! no count is given for Blue: it counts as 0');
    const all = await simulated(good, '--observed', 'Spring sale/Red=5060', '--observed', 'Blue=4940');
    expect(all.out).not.toContain('no count is given');
    expect(all.code).toBe(0);
  });
});

test('the help asks for one place, and names no flag that may be repeated for it', async () => {
  const { out } = await runCli(['simulate', '--help'], { columns: 120 });
  for (const flag of ['--mbox', '--view', '--page-load']) {
    expect(out.split('\n').find((line) => line.includes(`${flag} `))).not.toContain('repeated');
  }
  expect((await runCli(['explain', '--help'], { columns: 120 })).out).toMatch(
    /--mbox <name> .*may be repeated/,
  );
});
