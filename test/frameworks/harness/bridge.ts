/** Serves what has no server of its own, as its platform would: a handler of AWS Lambda, or one of the Fetch API. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';

const HANDLERS = { lambda: answerLambda, fetch: answerFetch };

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
async function answerLambda(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { handler } = await import('./lambda.js');
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const { cookie, ...headers } = request.headers;
  const http = { method: request.method ?? 'GET', path: pathname, protocol: 'HTTP/1.1' };
  const event = {
    version: '2.0',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers,
    requestContext: {
      domainName: headers.host,
      http: { ...http, sourceIp: '203.0.113.7', userAgent: headers['user-agent'] },
    },
  };
  const result = await handler(event as unknown as APIGatewayProxyEventV2, {} as Context, () => undefined);
  const { statusCode, cookies, body, ...answer } = result as APIGatewayProxyStructuredResultV2;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    response.setHeader(name, String(value));
  }
  for (const line of cookies ?? []) {
    response.appendHeader('Set-Cookie', line);
  }
  response.writeHead(statusCode ?? 200).end(body);
}

async function answerFetch(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { default: handler } = await import('./fetch.js');
  const headers = Object.entries(message.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  const url = `http://${message.headers.host}${message.url}`;
  const answer = await handler.fetch(new Request(url, { method: message.method ?? 'GET', headers }));
  for (const [name, value] of answer.headers) {
    response.appendHeader(name, value);
  }
  response.writeHead(answer.status).end(await answer.text());
}

const answer = HANDLERS[process.argv[2] as keyof typeof HANDLERS];
createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
}).listen(3000, '127.0.0.1');
