import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';

/** Ports that are tried, the wanted one included. */
const TRIES = 20;

/**
 * Listens on a port, or on the next free one where it is taken, and says so in one line. A server behind a proxy
 * would rather end: there, take `app.listen(port)` instead.
 */
export async function listen(app: RequestListener, wanted: number): Promise<Server> {
  for (let port = wanted; ; port += 1) {
    try {
      const server = createServer(app).listen(port);
      await once(server, 'listening');
      if (port !== wanted) {
        console.warn(`port ${wanted} is taken, so this is ${port}`);
      }
      return server;
    } catch (error) {
      if (!isTaken(error) || port + 1 === wanted + TRIES) {
        throw error;
      }
    }
  }
}

function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
}
