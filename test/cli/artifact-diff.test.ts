import { describe, expect, test } from '@jest/globals';
import { activity, buildArtifact, html, json } from 'target-node-sdk/testing';
import { runCli, withFiles } from './run-cli.js';

const file = withFiles();

function artifactOf(red: number, generatedAt: string) {
  const spring = activity('Spring')
    .mbox('hero')
    .split({ Red: [red, json({ color: 'red' })], Blue: [100 - red, html('<p>blue</p>')] });
  const artifact = buildArtifact({ activities: [spring], client: 'acme', ids: 'stable' });
  // With a response token of it, the name of an offer would be seen.
  return { ...artifact, responseTokens: [], meta: { ...artifact.meta, generatedAt } };
}

/** Gives the rules of the second experience other tokens and another offer. */
function withOtherTokens(artifact: ReturnType<typeof artifactOf>): object {
  const copy: { rules: { mboxes: Record<string, { meta: object; consequence: { options: object[] } }[]> } } =
    JSON.parse(JSON.stringify(artifact));
  const rule = copy.rules.mboxes.hero?.[1];
  for (const option of rule?.consequence.options ?? []) {
    Object.assign(option, { eventToken: 'new-token' });
  }
  Object.assign(rule?.meta ?? {}, { 'offer.name': 'new\u001b[2J offer' });
  return copy;
}

const before = file('before.json', artifactOf(50, '2026-11-01T00:00:00Z'));
const quiet = file('quiet.json', withOtherTokens(artifactOf(50, '2026-11-02T00:00:00Z')));
const both = file('both.json', withOtherTokens(artifactOf(90, '2026-11-02T00:00:00Z')));

describe('artifact diff', () => {
  test('counts what no visitor sees', async () => {
    const { code, out } = await runCli(['artifact', 'diff', before, quiet]);
    expect(code).toBe(0);
    expect(out).toBe('✓ nothing differs: 1 activity as before; 3 changes that no visitor sees\n');
  });

  test('lists it with --tokens, and the exit code stays', async () => {
    const { code, out } = await runCli(['artifact', 'diff', before, quiet, '--tokens'], { columns: 80 });
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
    expect(out).not.toContain('\u001b');
    const { code: other, out: more } = await runCli(['artifact', 'diff', before, both, '--tokens']);
    expect(other).toBe(1);
    expect(more).toContain('Red share: 50 % → 90 %');
    expect(more).toContain('event token');
  });

  test('has it in JSON with --tokens alone', async () => {
    const jsonOf = async (...flags: string[]) =>
      JSON.parse((await runCli(['artifact', 'diff', before, quiet, '--json', ...flags])).out);
    expect(await jsonOf()).not.toHaveProperty('quietChanges');
    const { quiet: count, quietChanges } = await jsonOf('--tokens');
    expect(quietChanges).toHaveLength(count);
  });

  test('tells a move once, with the first of its two experiences', async () => {
    const moves = (out: string) => out.replaceAll(/\s+/g, ' ').match(/40\.00 % of visitors move/g) ?? [];
    const { out } = await runCli(['artifact', 'diff', before, both]);
    expect(moves(out)).toHaveLength(1);
    expect(out).toMatch(/Blue share: 50 % → 10 %\n/);
  });

  test('says what it means that names came into a list, or went', async () => {
    const lists = { remoteMboxes: ['promo'], localMboxes: ['hero', 'flags'], localViews: [] };
    const listed = file('listed.json', { ...artifactOf(50, '2026-11-01T00:00:00Z'), ...lists });
    const { out } = await runCli(['artifact', 'diff', before, listed]);
    expect(out).toContain('~ remote mboxes: +promo\n    + the edge decides these now\n');
    expect(out).toContain('~ local mboxes: +flags\n    + these are decided on-device now\n');
    const { out: back } = await runCli(['artifact', 'diff', listed, before]);
    expect(back).toContain('~ remote mboxes: −promo\n    − the edge is no longer needed for these\n');
  });
});
