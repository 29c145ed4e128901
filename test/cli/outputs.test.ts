import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runCli } from './run-cli.js';

const FOLDER = join(__dirname, '../../../shared/conformance/artifacts');
const names = existsSync(FOLDER)
  ? readdirSync(FOLDER).map((file) => file.replace(/^TEST_ARTIFACT_|\.json$/g, ''))
  : [];
const pathOf = (name: string) => join(FOLDER, `TEST_ARTIFACT_${name}.json`);
const ID = ['--tnt-id', '0123456789abcdef0123456789abcdef'];
const REQUEST = ['--geo', 'country=US', '--url', 'https://example.com/cart?a=b', '--param', 'plan=gold'];

/** The flags that ask for the first location of an artifact. */
function locationOf(name: string): string[] {
  const { rules } = JSON.parse(readFileSync(pathOf(name), 'utf8'));
  const [mbox] = Object.keys(rules.mboxes);
  const [view] = Object.keys(rules.views ?? {});
  if (mbox === 'target-global-mbox') {
    return ['--page-load'];
  }
  return mbox === undefined && view !== undefined ? ['--view', view] : ['--mbox', mbox ?? 'hero'];
}

/** Runs a command on a terminal of 80 columns without colours. */
async function printed(args: readonly string[]): Promise<string> {
  const { code, out, err } = await runCli(args, { columns: 80 });
  for (const line of out.split('\n')) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
  return `${out}${code === 2 ? err : ''}exit ${code}\n`;
}

(names.length > 0 ? describe.each(names) : describe.skip.each(['']))('the artifact %s', (name) => {
  test('is explained', async () => {
    expect(
      await printed(['explain', pathOf(name), ...locationOf(name), ...ID, ...REQUEST]),
    ).toMatchSnapshot();
  });

  test('is simulated', async () => {
    const args = ['simulate', pathOf(name), ...locationOf(name), ...REQUEST, '--visitors', '1000'];
    expect(await printed(args)).toMatchSnapshot();
  });

  test('is inspected', async () => {
    expect(await printed(['artifact', 'inspect', pathOf(name)])).toMatchSnapshot();
  });

  test('is validated', async () => {
    expect(await printed(['artifact', 'validate', pathOf(name)])).toMatchSnapshot();
  });

  test('is compared', async () => {
    expect(await printed(['artifact', 'diff', pathOf('AB_SIMPLE'), pathOf(name)])).toMatchSnapshot();
  });

  test('is written as types', async () => {
    const { code, out, err } = await runCli(['types', pathOf(name)], { columns: 80 });
    expect(`${out}${err}exit ${code}\n`).toMatchSnapshot();
  });
});
