import type http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CutSignal } from './connection-use.js';
import type { HttpProxy, ProxyTarget } from './proxy-rules.js';
import { openTunnel } from './tunnel.js';

/** A connection that an agent of Node's wants, and how it comes about. */
export interface WantedConnection {
  readonly agent: http.Agent;
  readonly proxy: HttpProxy;
  readonly target: ProxyTarget;
  /** The agent's own, by which it knows the connection. */
  readonly options: http.ClientRequestArgs;
  /** Aborted when nobody waits for the connection any more. */
  readonly cut: CutSignal | undefined;
  /** Makes the connection over the tunnel. */
  readonly openOver: (tunnel: Socket) => Duplex | null | undefined;
}

type OnConnection = (error: Error | null, connection: Duplex) => void;

/** The parts of an agent that Node's own types leave out, or let nobody write to. */
interface Pool {
  totalSocketCount: number;
  readonly sockets: Record<string, object[] | undefined>;
  readonly requests: Record<string, http.ClientRequest[] | undefined>;
  addRequest(request: http.ClientRequest, options: object): void;
}

/**
 * Opens a connection of an agent through a proxy. The agent counts connections when they are there; until then this one
 * is counted here, so that a slow proxy does not get more of them than there may be.
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
    if (connection) return onConnection(null, connection);
    // The agent looks at nothing but the error.
    (onConnection as (error: Error | null) => void)(error);
    // The agent waits for a connection to close before it serves the next request in its queue.
    setImmediate(serveNext, pool, name, options);
  });
  cut?.addEventListener('abort', giveUp);
}

/** Counts a connection that is not there yet. */
function countOpening(pool: Pool, name: string): () => void {
  const placeholder = { writable: true, destroy: () => undefined };
  const sockets = pool.sockets[name] ?? [];
  pool.sockets[name] = sockets;
  sockets.push(placeholder);
  pool.totalSocketCount += 1;
  return () => {
    sockets.splice(sockets.indexOf(placeholder), 1);
    if (sockets.length === 0 && pool.sockets[name] === sockets) delete pool.sockets[name];
    pool.totalSocketCount -= 1;
  };
}

/** Begins anew with the first of the requests that wait, without those that were given up. */
function serveNext(pool: Pool, name: string, options: object): void {
  const waiting = pool.requests[name];
  let next = waiting?.shift();
  while (next?.destroyed) next = waiting?.shift();
  if (waiting?.length === 0) delete pool.requests[name];
  if (next) pool.addRequest(next, options);
}
