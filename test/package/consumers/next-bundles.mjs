import { equal, notEqual } from 'node:assert/strict';
import { pathToFileURL } from 'node:url';

/** Loads the bundles of a program of Next.js: of its proxy, of its handlers and of its components. */
async function main() {
  const [host, ...files] = process.argv.slice(2);
  const config = { client: 'demo', organizationId: 'DEMO@AdobeOrg', serverDomain: host, secure: false };
  const bundles = await Promise.all(files.map((file) => import(pathToFileURL(file).href)));
  const [proxy, handlers, components] = bundles.map(({ load }) => load({ ...config }));
  notEqual(proxy.TargetError, handlers.TargetError, 'there is only one copy');
  equal(proxy.target.client(), components.target.client());
  equal(handlers.target.client(), components.target.client());
  const headers = { host: 'shop.example', accept: 'text/html', 'user-agent': 'Mozilla/5.0' };
  const { headers: passedOn } = await proxy.target.begin(new Request('http://localhost/a', { headers }));
  const request = new Request('http://localhost/a', { headers: passedOn });
  const visit = handlers.target.visitOf(request);
  equal(components.target.visitOf(request), visit);
  const error = await visit.getOffers({ request: 1 }).catch((thrown) => thrown);
  for (const { TargetError } of [proxy, handlers, components]) {
    equal(error instanceof TargetError, true);
  }
  console.log(await visit.offer('greeting', 'none'));
  await proxy.target.client().close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
