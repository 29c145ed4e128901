#!/usr/bin/env node
import { createRequire } from 'node:module';
import { main } from './main.js';
import { EXIT } from './shell.js';

const { version } = createRequire(import.meta.url)('target-node-sdk/package.json');

for (const output of [process.stdout, process.stderr]) {
  output.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A reader such as `head` has seen enough.
    if (code === 'EPIPE') {
      process.exit(EXIT.fine);
    }
    if (output === process.stdout) {
      process.stderr.write(`target-node-sdk: the output cannot be written (${code}): look at the disk\n`);
    }
    process.exit(EXIT.unusable);
  });
}

/** Signals end a command only where it waits for them. Any other command they end at once. */
function signalOfUser(): AbortSignal {
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => ending.abort());
  }
  return ending.signal;
}

let signal: AbortSignal | undefined;

process.exitCode = await main(process.argv.slice(2), version, {
  stdin: process.stdin,
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  now: Date.now,
  get signal() {
    signal ??= signalOfUser();
    return signal;
  },
});
