import { describe, expect, test } from '@jest/globals';
import { TargetClient } from 'target-node-sdk';
import { activity, buildArtifact, html, json } from 'target-node-sdk/testing';
import { runCli, withFiles } from './run-cli.js';

const file = withFiles();
const spring = activity('Spring')
  .mbox('hero')
  .split({ A: [50, json({ n: 1 })], B: [50, json({ n: 2 })] });
const rules = buildArtifact({ activities: [spring], client: 'acme', ids: 'stable' });
const path = file('rules.json', rules);

/** Runs an edge, does something with what it printed, and ends it. */
async function running(
  flags: readonly string[],
  use: (out: string) => unknown = () => undefined,
  terminal: { readonly columns?: number } = {},
): Promise<string> {
  const ending = new AbortController();
  let printed = '';
  let begin: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const onOut = (text: string) => {
    printed += text;
    if (/\}\n$/.test(printed)) {
      begin?.();
    }
  };
  const ended = runCli(['edge', ...flags], { signal: ending.signal, onOut, ...terminal });
  await Promise.race([begun, ended]);
  await use(printed);
  ending.abort();
  const { code, out, err } = await ended;
  expect([code, err]).toEqual([0, '']);
  return out;
}

const configOf = (out: string) => JSON.parse(/^\{.*\}$/m.exec(out)?.[0] ?? '');

describe('the client code of an edge', () => {
  test('is that of the artifact, and visitors get the experience that explain says', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `visitor-${index}`);
    await running([path], async (out) => {
      const config = configOf(out);
      expect(config.client).toBe('acme');
      const client = TargetClient.create({ ...config, telemetryEnabled: false });
      for (const tntId of ids) {
        const { response } = await client.getOffers({
          request: { id: { tntId }, execute: { mboxes: [{ name: 'hero' }] } },
        });
        const [option] = response.execute?.mboxes?.[0]?.options ?? [];
        const explained = await runCli(['explain', path, '--mbox', 'hero', '--tnt-id', tntId, '--json']);
        const { answer } = JSON.parse(explained.out);
        expect(answer.execute.mboxes[0].options[0].content).toEqual(option?.content);
      }
      await client.close();
    });
  });

  test('is the given one, of which it says that other visitors get B', async () => {
    const out = await running([path, '--client', 'other']);
    expect(configOf(out).client).toBe('other');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('! the rules are those of the client code acme');
    expect(await running([path, '--client', 'acme'])).not.toContain('! ');
  });

  test.each([
    ['there are no rules', ['--offers', file('offers.json', { mboxes: { hero: html('<h1>Hi</h1>') } })]],
    ['the rules name none', [file('none.json', { ...rules, meta: {} })]],
    ['the rules have no meta', [file('bare.json', { ...rules, meta: undefined })]],
    ['it is no client code', [file('odd.json', { ...rules, meta: { clientCode: '../a b' } })]],
  ])('is demo where %s', async (_, flags) => {
    expect(configOf(await running(flags)).client).toBe('demo');
  });
});

test('what people copy is on one line, however narrow the terminal is', async () => {
  const flags = [path, '--client', `a${'b'.repeat(60)}`];
  const out = await running(flags, () => undefined, { columns: 60 });
  expect(configOf(out)).toMatchObject({ secure: false, client: flags[2] });
  expect(out).toMatch(/^rules: http:\/\/127\.0\.0\.1:\d+\/\S+\/rules\.json$/m);
  expect(out).toMatch(/^look into it with a browser: http:\/\/\S+\/_workbench\/$/m);
});
