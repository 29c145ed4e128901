import http from 'node:http';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { HttpProxy, ProxyTarget } from './proxy-rules.js';

/** Called once, with the open tunnel or the error. */
export type OnTunnel = (error: Error | null, socket?: Socket) => void;

/** Longest time in ms that a proxy has to open a tunnel, even for calls with a longer timeout. */
const MAX_OPENING_MS = 30_000;

/**
 * Opens a tunnel through a proxy with `CONNECT` (https://www.rfc-editor.org/rfc/rfc9110#CONNECT). The returned function
 * gives it up while it is still opening. An error's code is `ERR_PROXY_` and the status of the proxy's refusal, or
 * `ERR_PROXY_` and the system's code: node-fetch passes on nothing but the code of an error.
 */
export function openTunnel(proxy: HttpProxy, target: ProxyTarget, onTunnel: OnTunnel): () => void {
  const { hostname, port, isSecure, authorization } = proxy;
  const authority = `${target.hostname.includes(':') ? `[${target.hostname}]` : target.hostname}:${target.port}`;
  const request = http.request({
    method: 'CONNECT',
    path: authority,
    setHost: false,
    headers: {
      Host: authority,
      Connection: 'keep-alive',
      'Proxy-Connection': 'keep-alive',
      ...(authorization !== undefined && { 'Proxy-Authorization': authorization }),
    },
    createConnection: () => connectToProxy({ hostname, port, isSecure }),
  });
  let isSettled = false;
  const settle: OnTunnel = (error, socket) => {
    clearTimeout(timer);
    if (isSettled) {
      socket?.destroy();
      return;
    }
    isSettled = true;
    onTunnel(error, socket);
  };
  const giveUp = (code: string) => {
    settle(toTunnelError(proxy, code));
    request.destroy();
  };
  const timer = setTimeout(giveUp, MAX_OPENING_MS, 'ETIMEDOUT');
  timer.unref();
  request.on('error', (error: NodeJS.ErrnoException) =>
    settle(toTunnelError(proxy, error.code ?? error.name, error)),
  );
  request.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
    if (statusCode >= 200 && statusCode < 300) {
      if (head.length > 0) {
        socket.unshift(head);
      }
      settle(null, socket);
      return;
    }
    socket.destroy();
    settle(toTunnelError(proxy, String(statusCode)));
  });
  request.end();
  return () => giveUp('ECANCELED');
}

function connectToProxy({ hostname, port, isSecure }: Omit<HttpProxy, 'authorization'>): Socket {
  const to = { host: hostname, port };
  if (!isSecure) {
    return net.connect(to);
  }
  // A TLS client sends the name of a server, but not an address (https://www.rfc-editor.org/rfc/rfc6066#section-3).
  return tls.connect(net.isIP(hostname) ? to : { ...to, servername: hostname });
}

function toTunnelError({ hostname, port }: HttpProxy, code: string, cause?: Error): Error {
  const result = /^\d+$/.test(code) ? `refused a tunnel with status ${code}` : `opened no tunnel: ${code}`;
  const error = new Error(`the proxy ${hostname}:${port} ${result}`, cause && { cause });
  return Object.assign(error, { code: `ERR_PROXY_${code}` });
}
