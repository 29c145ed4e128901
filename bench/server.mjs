/**
 * The other end, in a process of its own so that its work is not counted: answers every POST with a delivery
 * response of the wanted size and every GET with the wanted artifact.
 */
import { createServer } from 'node:http';
import { artifactOfBytes, largeArtifactText } from './artifacts.mjs';

const { delivery = 0, artifact = 'none' } = JSON.parse(process.argv[2] ?? '{}');

const answer = Buffer.from(JSON.stringify(deliveryOf(delivery)));
const rules = Buffer.from(artifactText(artifact));

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const body = request.method === 'GET' ? rules : answer;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(`127.0.0.1:${server.address().port}`));
process.on('disconnect', () => process.exit());

function artifactText(wanted) {
  if (wanted === 'large') return largeArtifactText();
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
