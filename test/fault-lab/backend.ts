/**
 * Answers delivery calls in a process of its own, which its parent may stop: the first ones when there are as many as its
 * second argument says, so that each has a connection of its own. Sends its parent the port.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const together = Number(process.argv[2]);
const waiting: http.ServerResponse[] = [];
let calls = 0;
const server = http.createServer((_, response) => {
  calls += 1;
  waiting.push(response);
  if (calls < together) {
    return;
  }
  for (const one of waiting.splice(0)) {
    one.end('{"status":200,"client":"demo"}');
  }
});
// Longer than a check takes: undici closes idle connections before their server says it will.
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
