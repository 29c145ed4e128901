/** Draws the pictures of the guides: a page of the workbench, and a command in a terminal. It needs Chromium. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { activity, audience, buildArtifact, json, startTargetEdge } from '../src/testing/edge.js';
import { dist, root } from './manifest.js';

const CLIENT = 'acme';
const images = join(root, 'docs/images');
const artifact = buildArtifact({
  activities: [
    activity('Spring sale')
      .mbox('hero')
      .split({
        'Red button': [50, json({ color: 'red' })],
        'Blue button': [50, json({ color: 'blue' })],
      })
      .when(audience.any(audience.country('US'), audience.country('CA'))),
  ],
  client: CLIENT,
  ids: 'stable',
});

const folder = mkdtempSync(join(tmpdir(), 'target-pictures-'));
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
const edge = await startTargetEdge({ artifact, client: CLIENT, workbench: true });
try {
  const query = 'visitor?mbox=hero&id=visitor-4&country=US';
  await draw(browser, { url: `${edge.workbenchUrl}${query}`, name: 'workbench', width: 1200 });
  const page = join(folder, 'terminal.html');
  writeFileSync(
    page,
    terminal('npx target-node-sdk explain rules.json --mbox hero --tnt-id visitor-4 --geo country=US'),
  );
  await draw(browser, { url: `file://${page}`, name: 'explain', width: 960 });
} finally {
  await browser.close();
  await edge.close();
  rmSync(folder, { recursive: true });
}

interface Picture {
  readonly url: string;
  readonly name: string;
  readonly width: number;
}

async function draw(from: Browser, { url, name, width }: Picture): Promise<void> {
  const context = await from.newContext({ viewport: { width, height: 100 }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(url);
  await page.screenshot({ path: join(images, `${name}.png`), fullPage: true });
  await context.close();
}

/** A page that looks like a terminal in which a command was run, with the colours that the command prints. */
function terminal(command: string): string {
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(artifact));
  const [, , ...args] = command.split(' ');
  const printed = execFileSync(process.execPath, [join(dist, 'esm/cli/bin.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1', LANG: 'C.UTF-8' },
  });
  const [before = '', ...parts] = printed
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .split(`${String.fromCharCode(27)}[`);
  const coloured = parts.map((part) => {
    const [code = ''] = part.split('m', 1);
    return (code === '0' ? '</span>' : `<span class="c${code}">`) + part.slice(code.length + 1);
  });
  return `<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:24px;background:#131519;color:#e7e8eb;font:15px/1.5 ui-monospace,'DejaVu Sans Mono',monospace}
pre{margin:0;font:inherit}.c1{font-weight:700}.c2{color:#a4aab5}.c31{color:#ff9a8f}.c32{color:#6fd3a0}.c33{color:#e8bd68}
</style><pre><span class="c2">$</span> ${command}\n${before}${coloured.join('')}</pre>`;
}
