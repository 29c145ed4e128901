/**
 * A Delivery API for notifications on bare sockets: confirms what it is sent after so many milliseconds, or fails. Which
 * answers fail, the organization's id says: `errors-0.05` a share of all, in the same order each time; `sick-39` those of
 * one edge cluster; `poison` those of the visitor with that name.
 */
import { createServer } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const ORGANIZATION = /imsOrgId=([\w.-]+)%40/;
const HOST = /\r\nhost: *([\w.-]+)/i;

const FAILED = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n';

/** @param {{ rttMs: number }} wanted */
export function notificationEdge({ rttMs }) {
  const randoms = new Map();
  const isFailed = (head, body) => {
    const [kind, value] = (ORGANIZATION.exec(head)?.[1] ?? '').split('-');
    if (kind === 'sick') {
      return HOST.exec(head)?.[1]?.startsWith(`mboxedge${value}.`) === true;
    }
    if (kind === 'poison') {
      return body.includes('"tntId":"poison"');
    }
    if (kind !== 'errors') {
      return false;
    }
    // Each process that is measured comes with an id of its own, and finds the same errors.
    const key = head.slice(0, head.indexOf('&sessionId'));
    const random = randoms.get(key) ?? seeded(7);
    randoms.set(key, random);
    return random() < Number(value);
  };
  return createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      for (let request = requestIn(received); request; request = requestIn(received)) {
        received = received.subarray(request.end);
        const answer = isFailed(request.head, request.body) ? FAILED : confirmed(request.body);
        setTimeout(() => socket.destroyed || socket.write(answer), rttMs);
      }
    });
  });
}

/** The first request, when it has come whole; node-fetch gives a body that is a text its length. */
function requestIn(bytes) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) {
    return undefined;
  }
  const head = bytes.latin1Slice(0, headEnd);
  const bodyAt = headEnd + HEAD_END.length;
  const end = bodyAt + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
  return end > bytes.length ? undefined : { head, body: bytes.utf8Slice(bodyAt, end), end };
}

function confirmed(body) {
  const { requestId, notifications = [] } = JSON.parse(body);
  const answer = JSON.stringify({
    status: 200,
    requestId,
    client: 'targettesting',
    notifications: notifications.map(({ id }) => ({ id })),
  });
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\nConnection: keep-alive\r\n\r\n${answer}`;
}

/** mulberry32: the same numbers each time. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
