/** Bare HTTP clients: POST a prepared body, parse the answer. */
import http from 'node:http';
// The copy that the package under test uses: there is none beside this folder's own dependencies.
import nodeFetch from 'node-fetch';
import { createUndiciFetch } from 'target-node-sdk/undici';
import { Pool } from 'undici';

const PATH = '/rest/v1/delivery?imsOrgId=bench&sessionId=0f5cf5dd8ae24e3b9bd7b1dc0eb4a0b3';

/** node-fetch on keep-alive connections. */
export function startNodeFetch(host) {
  const agent = new http.Agent({ keepAlive: true });
  return async ({ headers, body }) => {
    const response = await nodeFetch(`http://${host}${PATH}`, {
      method: 'POST',
      headers,
      body,
      agent,
    });
    return JSON.parse(await response.text());
  };
}

/** The request of undici, on a pool of as many connections as calls. */
export function startUndici(host, connections) {
  const pool = new Pool(`http://${host}`, { connections });
  return async ({ headers, body }) => {
    const answer = await pool.request({ path: PATH, method: 'POST', headers, body });
    return JSON.parse(await answer.body.text());
  };
}

/** Connections to one host, whatever host a URL names: the host of the request tells which cluster it was for. */
export function clusterAgent(host) {
  const [hostname, port] = host.split(':');
  const agent = new http.Agent({ keepAlive: true });
  const open = agent.createConnection;
  agent.createConnection = (options, ...rest) =>
    open.call(agent, { ...options, host: hostname, port }, ...rest);
  return agent;
}

/** The option that puts the package under test on undici. */
export function undiciTransport() {
  return { fetchApi: createUndiciFetch() };
}
