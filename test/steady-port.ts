import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the ports that Linux (32768 and up), macOS and Windows (49152 and up) hand out for port 0 and for connections.
const FIRST = 15_000;
const END = 32_000;
const TRIES = 20;

/**
 * A port for what stops listening and comes back: nothing else on this machine is given it in between, as it may be
 * given one that port 0 found.
 */
export async function steadyPort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(FIRST, END);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error(`none of ${TRIES} ports is free`);
}
