import type http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CutSignal } from './connection-use.js';
import type { HttpProxy, ProxyTarget } from './proxy-rules.js';
import { openTunnel } from './tunnel.js';

/** A connection that one of Node's agents asks for, and everything to open it through a proxy. */
export interface WantedConnection {
  readonly agent: http.Agent;
  readonly proxy: HttpProxy;
  readonly target: ProxyTarget;
  /** The agent's own options for the connection. The agent derives the connection's name from them. */
  readonly options: http.ClientRequestArgs;
  /** The signal that is aborted when nobody waits for the connection any more. */
  readonly cut: CutSignal | undefined;
  /** Makes the connection on top of the open tunnel. */
  readonly openOver: (tunnel: Socket) => Duplex | null | undefined;
}

type OnConnection = (error: Error | null, connection: Duplex) => void;

/** The parts of an agent that Node's own types leave out or mark as read-only. */
interface Pool {
  totalSocketCount: number;
  readonly sockets: Record<string, object[] | undefined>;
  readonly requests: Record<string, http.ClientRequest[] | undefined>;
  addRequest(request: http.ClientRequest, options: object): void;
}

/**
 * Opens an agent's connection through a proxy. An agent counts a connection only when it is open. This function counts
 * it from the start. So a slow proxy does not get more connections than `maxSockets` allows.
 */
export function openThroughProxy(wanted: WantedConnection, onConnection: OnConnection): void {
  const { agent, proxy, target, options, cut, openOver } = wanted;
  const pool = agent as unknown as Pool;
  const name = agent.getName(options);
  const uncount = countOpening(pool, name);
  const giveUp = openTunnel(proxy, target, (error, tunnel) => {
    cut?.removeEventListener('abort', giveUp);
    uncount();
    const connection = tunnel && openOver(tunnel);
    if (connection) {
      return onConnection(null, connection);
    }
    // The agent ignores the second argument when there is an error.
    (onConnection as (error: Error | null) => void)(error);
    // The agent would otherwise serve the next request in its queue only when another connection closes.
    setImmediate(serveNext, pool, name, options);
  });
  cut?.addEventListener('abort', giveUp);
}

/** Counts a connection that is still opening. The returned function takes it off the count. */
function countOpening(pool: Pool, name: string): () => void {
  const placeholder = { writable: true, destroy: () => undefined };
  const sockets = pool.sockets[name] ?? [];
  pool.sockets[name] = sockets;
  sockets.push(placeholder);
  pool.totalSocketCount += 1;
  return () => {
    sockets.splice(sockets.indexOf(placeholder), 1);
    if (sockets.length === 0 && pool.sockets[name] === sockets) {
      delete pool.sockets[name];
    }
    pool.totalSocketCount -= 1;
  };
}

/** Starts the first request in the queue again. Requests that were given up are skipped. */
function serveNext(pool: Pool, name: string, options: object): void {
  const waiting = pool.requests[name];
  let next = waiting?.shift();
  while (next?.destroyed) {
    next = waiting?.shift();
  }
  if (waiting?.length === 0) {
    delete pool.requests[name];
  }
  if (next) {
    pool.addRequest(next, options);
  }
}
