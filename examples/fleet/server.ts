/** The page of the fleet: its files, its state as server-sent events, and its buttons. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Fleet } from './fleet.js';

const FILES = new Map([
  ['/', { file: 'index.html', type: 'text/html; charset=utf-8' }],
  ['/style.css', { file: 'style.css', type: 'text/css' }],
  ['/page.js', { file: 'page.js', type: 'text/javascript' }],
]);
/** The page loads nothing from elsewhere, and runs no script that is written into it. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:";
const EVERY_MS = 250;

/** Serves the page of a fleet. */
export function toServer(fleet: Fleet): RequestListener {
  const listeners = new Set<ServerResponse>();
  void tellAlways(fleet, listeners);
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.flushHeaders();
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
    } else if (request.method === 'POST') {
      void press(fleet.actions[path.slice(1)], request, response);
    } else {
      sendFile(path, response);
    }
  };
}

/** Sends the state to every page that is open, again and again. */
async function tellAlways(fleet: Fleet, listeners: ReadonlySet<ServerResponse>): Promise<void> {
  const state = JSON.stringify(await fleet.look());
  for (const listener of listeners) {
    listener.write(`data: ${state}\n\n`);
  }
  setTimeout(() => void tellAlways(fleet, listeners), EVERY_MS).unref();
}

/** Does what a button says. Pages of other sites cannot press it. */
async function press(
  action: (() => unknown) | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isOwn = (request.headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin';
  if (!action || !isOwn) {
    response.writeHead(action ? 403 : 404).end();
    return;
  }
  try {
    await action();
    response.writeHead(204).end();
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
}

function sendFile(path: string, response: ServerResponse): void {
  const found = FILES.get(path);
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': found.type,
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  response.end(readFileSync(new URL(`public/${found.file}`, import.meta.url)));
}
