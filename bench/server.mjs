/**
 * The other end, in a process of its own so that its work is not counted: answers every POST with a delivery
 * response of the wanted size and every GET with the wanted artifact, or confirms notifications. On bare sockets, with the answer at hand: with one
 * call at a time the time of a call holds that of its answer.
 */
import { createServer } from 'node:net';
import { artifactOfBytes, largeArtifactText } from './artifacts.mjs';
import { notificationEdge } from './notification-edge.mjs';

const { delivery = 0, artifact = 'none', notifications } = JSON.parse(process.argv[2] ?? '{}');

const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /^content-length: *(\d+)/im;
const CHUNKED = /^transfer-encoding: *chunked/im;
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

const answer = answerOf(JSON.stringify(deliveryOf(delivery)));
const rules = answerOf(artifactText(artifact));

const server = notifications
  ? notificationEdge(notifications)
  : createServer({ noDelay: true }, (socket) => {
      let received = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
        for (let end = endOfRequest(received); end > 0; end = endOfRequest(received)) {
          // Of G, of GET.
          socket.write(received[0] === 0x47 ? rules : answer);
          received = received.subarray(end);
        }
      });
    });
server.listen(0, '127.0.0.1', () => process.send?.(`127.0.0.1:${server.address().port}`));
process.on('disconnect', () => process.exit());

/** Where the first request ends; 0 when it has not yet come whole. */
function endOfRequest(bytes) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) {
    return 0;
  }
  const bodyAt = headEnd + HEAD_END.length;
  const head = bytes.latin1Slice(0, headEnd);
  if (CHUNKED.test(head)) {
    const at = bytes.indexOf(LAST_CHUNK, bodyAt - 2);
    return at < 0 ? 0 : at + LAST_CHUNK.length;
  }
  const end = bodyAt + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
  return end > bytes.length ? 0 : end;
}

function answerOf(body) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: keep-alive\r\n\r\n`;
  return Buffer.from(head + body);
}

function artifactText(wanted) {
  if (wanted === 'large') {
    return largeArtifactText();
  }
  return wanted === 'none' ? '{}' : JSON.stringify(artifactOfBytes(wanted));
}

function deliveryOf(bytes) {
  const option = (index) => ({
    type: 'json',
    content: { title: `Offer ${index}`, text: 'Free delivery on every order above 50.', enabled: true },
    responseTokens: {
      'activity.id': `${100_000 + index}`,
      'activity.name': 'a test of offers',
      'experience.id': '1',
      'option.id': '2',
    },
  });
  const response = {
    status: 200,
    requestId: '0f5cf5dd8ae24e3b9bd7b1dc0eb4a0b3',
    client: 'targettesting',
    id: { tntId: 'visitor' },
    execute: { mboxes: [{ index: 1, name: 'mbox-0', options: [] }] },
  };
  while (JSON.stringify(response).length < bytes) {
    response.execute.mboxes[0].options.push(option(response.execute.mboxes[0].options.length));
  }
  return response;
}
