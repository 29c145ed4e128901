import { existsSync } from 'node:fs';
import { jest } from '@jest/globals';

/** The sliver of Playwright that the tests use: its own types need those of a browser's DOM. */
export interface Locator {
  all(): Promise<Locator[]>;
  boundingBox(): Promise<{ x: number; width: number } | null>;
  click(): Promise<void>;
  count(): Promise<number>;
  getAttribute(name: string): Promise<string | null>;
  getByRole(role: string): Locator;
  innerText(): Promise<string>;
  isDisabled(): Promise<boolean>;
  textContent(): Promise<string | null>;
  waitFor(): Promise<void>;
}

/** The timers of a page, which a test can hold and move. */
export interface Clock {
  install(options: { time: number }): Promise<void>;
  pauseAt(time: number): Promise<void>;
  runFor(ms: number): Promise<void>;
}

/** A tab. */
export interface Page {
  readonly clock: Clock;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  addInitScript(script: { content: string }): Promise<void>;
  evaluate<Result>(expression: string): Promise<Result>;
  getByRole(role: string, options?: { name?: string; level?: number }): Locator;
  getByText(text: string, options?: { exact?: boolean }): Locator;
  goto(url: string): Promise<unknown>;
  title(): Promise<string>;
  url(): string;
  waitForEvent(event: 'load'): Promise<unknown>;
  locator(selector: string): Locator;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  reload(options?: { waitUntil: 'networkidle' }): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
}

/** A browser profile: one visitor. */
export interface Visitor {
  clearCookies(): Promise<void>;
  close(): Promise<void>;
  newPage(): Promise<Page>;
}

/** A browser. */
export interface Browser {
  close(): Promise<void>;
  newContext(options?: {
    javaScriptEnabled?: boolean;
    colorScheme?: 'light' | 'dark';
    viewport?: { width: number; height: number };
  }): Promise<Visitor>;
}

interface Playwright {
  readonly chromium: {
    launch(options: {
      executablePath: string;
      args: string[];
      ignoreDefaultArgs: string[];
    }): Promise<Browser>;
  };
}

/** Where Chromium is looked for. */
export const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Whether the browser tests can be left out: there is no Chromium, and nobody insists. */
export const isChromiumMissing = !existsSync(chromiumPath) && process.env.CI !== 'true';

/**
 * Starts Chromium without a window and without calls of its own to the network. Like every browser, it keeps pages for
 * the way back.
 */
export function launchChromium(): Promise<Browser> {
  const { chromium } = jest.requireActual<Playwright>('playwright-core');
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({
    executablePath: chromiumPath,
    args,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}
