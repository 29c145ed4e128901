import { createRequire } from 'node:module';

/** The sliver of Playwright that the checks use: its own types need those of a browser's DOM. */
export interface Locator {
  click(): Promise<void>;
  count(): Promise<number>;
  hover(): Promise<void>;
  innerText(): Promise<string>;
  scrollIntoViewIfNeeded(): Promise<void>;
  waitFor(): Promise<void>;
}

/** A request that a page made. */
export interface PageRequest {
  headers(): Readonly<Record<string, string>>;
  url(): string;
}

/** A tab. */
export interface Tab {
  addInitScript(script: string): Promise<void>;
  evaluate(script: string): Promise<unknown>;
  getByRole(role: string, options?: { name?: string; level?: number }): Locator;
  getByText(text: string, options?: { exact?: boolean }): Locator;
  goto(url: string, options?: { waitUntil: 'networkidle' }): Promise<unknown>;
  locator(selector: string): Locator;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'response', listener: (response: { url(): string; status(): number }) => void): void;
  reload(): Promise<unknown>;
  waitForLoadState(state: 'networkidle'): Promise<void>;
}

/** A browser profile: one visitor. */
export interface Profile {
  close(): Promise<void>;
  cookies(): Promise<readonly { readonly name: string; readonly value: string }[]>;
  newPage(): Promise<Tab>;
  setDefaultTimeout(ms: number): void;
}

/** A browser. */
export interface Browser {
  close(): Promise<void>;
  newContext(options?: { javaScriptEnabled: boolean }): Promise<Profile>;
}

interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: string[]; timeout: number }): Promise<Browser>;
  };
}

/** Longer than a start of the browser takes, on a busy machine too. */
const START_MS = 120_000;

/** Starts Chromium without a window and without calls of its own to the network. */
export function launchChromium(): Promise<Browser> {
  const { chromium }: Playwright = createRequire(import.meta.url)('playwright-core');
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [...args, '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    timeout: START_MS,
  });
}
