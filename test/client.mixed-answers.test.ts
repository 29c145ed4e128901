import { once } from 'node:events';
import { Agent } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { Agent as UndiciAgent } from 'undici';
import { createUndiciFetch } from '../src/http/undici.js';
import { type TargetClient, TargetError } from '../src/index.js';
import { withServers } from './listening.js';
import { type Asked, answerOf, chunked, httpOf, type Play, type RawConnection, rawEdge } from './raw-edge.js';
import { selfSigned } from './self-signed.js';
import { clientsOf, type Transport } from './transport-clients.js';
import { targetErrorOf } from './with-edge.js';

const running = withServers();
const { listen } = running;

const clientOf = clientsOf((close) => void running.add(close));

/** What became of a visitor's call. */
interface Outcome {
  readonly tntId: string;
  /** Every visitor whom the answer, the cookie included, or the error names. */
  readonly named: readonly string[];
  readonly code: string | undefined;
}

let visitors = 0;

async function visit(client: TargetClient, request: object = {}): Promise<Outcome> {
  visitors += 1;
  const tntId = `visitor-${visitors}.35_0`;
  const call = { id: { tntId }, execute: { mboxes: [{ name: 'hero' }] }, ...request };
  try {
    const { response, targetCookie } = await client.getOffers({ request: call });
    const text = JSON.stringify([response, targetCookie]);
    return { tntId, named: namesIn(text), code: undefined };
  } catch (error) {
    if (!(error instanceof TargetError)) {
      throw error;
    }
    const { code, message, body, cause } = error;
    return { tntId, named: namesIn(`${message} ${body} ${cause}`), code };
  }
}

function namesIn(text: string): string[] {
  return [...new Set(text.match(/visitor-\d+\.35_0/g))];
}

/** Sends visitors, so many at a time, and finds that nobody saw anything of somebody else's. */
async function visitAll(client: TargetClient, atATime: number, times: number): Promise<Outcome[]> {
  const lane = async () => {
    const outcomes: Outcome[] = [];
    for (let time = 0; time < times; time += 1) {
      outcomes.push(await visit(client));
    }
    return outcomes;
  };
  const outcomes = (await Promise.all(Array.from({ length: atATime }, lane))).flat();
  const mixed = outcomes.filter(({ tntId, named }) => named.some((name) => name !== tntId));
  expect(mixed).toEqual([]);
  return outcomes;
}

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
const rest = (bytes: Buffer) => bytes.subarray(bytes.length >> 1);
const previous = ({ at }: Asked, { asked }: RawConnection) => asked[at - 1];
const refusalOf = ({ requestId, tntId }: Asked) => httpOf(answerOf(requestId, tntId), '400 Bad Request');
const later = (write: () => void, ms: number) => void setTimeout(write, ms);

/** How an edge mixes up the answers of a connection. */
const PLAYS: Readonly<Record<string, Play>> = {
  'an answer twice in one write': ({ answer }, { socket }) => socket.write(Buffer.concat([answer, answer])),
  'an answer twice in two writes': ({ answer }, { socket }) => {
    socket.write(answer);
    setImmediate(() => socket.write(answer));
  },
  'an answer again 5 ms later': ({ answer }, { socket }) => {
    socket.write(answer);
    later(() => socket.write(answer), 5);
  },
  'an answer again 50 ms later': ({ answer }, { socket }) => {
    socket.write(answer);
    later(() => socket.write(answer), 50);
  },
  'the answer before once more in front of its own': (asked, connection) => {
    const last = previous(asked, connection);
    if (last) {
      connection.socket.write(last.answer);
    }
    connection.socket.write(asked.answer);
  },
  'the answer before instead of its own': (asked, connection) => {
    connection.socket.write((previous(asked, connection) ?? asked).answer);
  },
  'half of the answer before in front of its own': (asked, connection) => {
    const last = previous(asked, connection);
    if (last) {
      connection.socket.write(half(last.answer));
    }
    connection.socket.write(asked.answer);
  },
  'half an answer behind the whole one, and the other half later': ({ answer }, { socket }) => {
    socket.write(Buffer.concat([answer, half(answer)]));
    setImmediate(() => socket.write(rest(answer)));
  },
  'more bytes than it said': ({ answer, tntId }, { socket }) =>
    socket.write(Buffer.concat([answer, Buffer.from(`{"id":{"tntId":"${tntId}"}}`)])),
  'an answer in chunks, with bytes behind the last': ({ requestId, tntId }, { socket }) => {
    const text = answerOf(requestId, tntId);
    socket.write(Buffer.concat([chunked(text), Buffer.from(text)]));
  },
  'an answer in chunks twice': ({ requestId, tntId }, { socket }) => {
    const bytes = chunked(answerOf(requestId, tntId));
    socket.write(bytes);
    setImmediate(() => socket.write(bytes));
  },
  'a 204 with a body': ({ answer }, { socket }) =>
    socket.write(Buffer.concat([Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'), answer])),
  'a 204 with a body later': ({ answer }, { socket }) => {
    socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    setImmediate(() => socket.write(answer));
  },
  'provisional answers, and all of them twice': ({ answer }, { socket }) => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${hints}`), answer]);
    socket.write(bytes);
    setImmediate(() => socket.write(bytes));
  },
  'a failure twice, which names its visitor': ({ requestId, tntId }, { socket }) => {
    const bytes = httpOf(answerOf(requestId, tntId), '500 Internal Server Error');
    socket.write(bytes);
    setImmediate(() => socket.write(bytes));
  },
  'the refusal before once more in front of its own': (asked, connection) => {
    const last = previous(asked, connection);
    if (last) {
      connection.socket.write(refusalOf(last));
    }
    connection.socket.write(refusalOf(asked));
  },
  'a long failure twice, which names its visitor': ({ requestId, tntId }, { socket }) => {
    const text = answerOf(requestId, tntId).replace('<p>', `<p>${'x'.repeat(2000)}`);
    const bytes = httpOf(text, '400 Bad Request');
    socket.write(bytes);
    setImmediate(() => socket.write(bytes));
  },
  'JSON that is cut off, twice': ({ requestId, tntId }, { socket }) => {
    const bytes = httpOf(answerOf(requestId, tntId).slice(0, -1));
    socket.write(bytes);
    setImmediate(() => socket.write(bytes));
  },
};

const TRANSPORTS: readonly Transport[] = ['node-fetch', 'undici'];

describe.each(TRANSPORTS)('on %s nobody sees an answer of somebody else', (kind) => {
  test.each(Object.entries(PLAYS))('from an edge that sends %s', async (_, play) => {
    const { host } = await listen(rawEdge(play));
    const client = clientOf(kind, host);
    await visitAll(client, 1, 12);
    await visitAll(client, 10, 3);
  });

  test.each([
    'an answer twice in two writes',
    'an answer again 5 ms later',
    'the answer before once more in front of its own',
  ])('with a hundred at a time, from an edge that sends %s', async (name) => {
    const { host } = await listen(rawEdge(PLAYS[name] as Play));
    await visitAll(clientOf(kind, host), 100, 2);
  });
});

/** Answers each call, and says when the first connection has closed. */
async function listenTo(play: Play, tls?: Parameters<typeof rawEdge>[1]) {
  const closed: Promise<unknown>[] = [];
  const server = rawEdge(play, tls);
  server.on(tls ? 'secureConnection' : 'connection', (socket) => closed.push(once(socket, 'close')));
  return { closed, ...(await listen(server)) };
}

/** undici gives a connection a turn of the event loop before it uses it again, and else takes another one. */
const ONE = { connections: 1 } as const;

describe.each(TRANSPORTS)('on %s a connection', (kind) => {
  test.each<[string, (asked: Asked) => Buffer]>([
    ['an answer again', ({ answer }) => answer],
    ['half of it again', ({ answer }) => half(answer)],
    ['a single byte', () => Buffer.from('H')],
    ['no HTTP', () => Buffer.from('{"id":{}}')],
  ])('on which %s comes while it is idle is closed at once', async (_, late) => {
    const answered: (() => void)[] = [];
    const edge = await listenTo((asked, { socket }) => {
      socket.write(asked.answer);
      answered.push(() => socket.write(late(asked)));
    });
    const client = clientOf(kind, edge.host, ONE);
    const first = await visit(client);
    answered[0]?.();
    await edge.closed[0];
    expect([first, await visit(client)]).toMatchObject([{ code: undefined }, { code: undefined }]);
    expect(edge.closed).toHaveLength(2);
  });

  test('that brought the answer to another call is closed, and the call fails with nothing of that answer', async () => {
    const edge = await listenTo((asked, connection) => {
      connection.socket.write((previous(asked, connection) ?? asked).answer);
    });
    const client = clientOf(kind, edge.host, ONE);
    const { tntId } = await visit(client);
    const call = { id: { tntId: 'other.35_0' }, execute: { mboxes: [{ name: 'hero' }] } };
    const error = await targetErrorOf(() => client.getOffers({ request: call }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_RESPONSE',
      message: 'the delivery call was answered with the answer to another call',
      status: 200,
      attempts: 1,
    });
    expect(error.body).toBeUndefined();
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(tntId);
    await edge.closed[0];
    expect(await visit(client)).toMatchObject({ code: undefined });
  });

  test('that brought the answer to another call fails for who has it by now, and that call is repeated elsewhere', async () => {
    let second: (() => void) | undefined;
    const edge = await listenTo((asked, connection) => {
      const { socket } = connection;
      // The second call is answered with the first one's answer as soon as a third waits on the same connection.
      if (asked.at === 0 || edge.closed.length > 1) {
        socket.write(asked.answer);
      } else {
        second = () => socket.write((previous(asked, connection) ?? asked).answer);
      }
    });
    const client = clientOf(kind, edge.host, ONE);
    await visit(client);
    const calls = [visit(client)];
    while (!second) {
      await new Promise(setImmediate);
    }
    second();
    calls.push(visit(client));
    const [mixed, other] = await Promise.all(calls);
    expect(mixed).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', named: [] });
    expect(other).toMatchObject({ code: undefined, named: [other?.tntId] });
  });

  test('whose call has timed out brings its answer to nobody', async () => {
    const unanswered: (() => void)[] = [];
    const edge = await listenTo(({ answer, tntId }, { socket }) => {
      if (tntId === 'slow.35_0') {
        unanswered.push(() => socket.write(answer));
      } else {
        socket.write(answer);
      }
    });
    const client = clientOf(kind, edge.host, ONE);
    await visit(client);
    const slow = { id: { tntId: 'slow.35_0' }, execute: { mboxes: [{ name: 'hero' }] } };
    const error = await targetErrorOf(() => client.getOffers({ request: slow, timeout: 100 }));
    expect(error.code).toBe('ERR_TARGET_TIMEOUT');
    unanswered[0]?.();
    const outcome = await visit(client);
    expect(outcome).toMatchObject({ code: undefined, named: [outcome.tntId] });
    await edge.closed[0];
  });
});

test('a connection over TLS on which bytes come while it is idle is closed at once', async () => {
  const certificate = selfSigned();
  // Trusted as one of the system would be: the client's own connections take no options.
  const { connect } = tls;
  const trusting = (options: tls.ConnectionOptions) => connect({ ...options, ca: certificate.cert });
  const spy = jest.spyOn(tls, 'connect').mockImplementation(trusting as typeof connect);
  try {
    let again: (() => void) | undefined;
    const edge = await listenTo(({ answer }, { socket }) => {
      socket.write(answer);
      again = () => socket.write(answer);
    }, certificate);
    const client = clientOf('node-fetch', `localhost:${edge.port}`, { secure: true });
    await visit(client);
    again?.();
    await edge.closed[0];
    await visitAll(client, 10, 2);
    expect(spy).toHaveBeenCalled();
  } finally {
    spy.mockRestore();
  }
});

describe('over TLS nobody sees an answer of somebody else', () => {
  const certificate = selfSigned();

  const play = PLAYS['the answer before once more in front of its own'] as Play;

  test('on node-fetch with an agent of the caller', async () => {
    const { port } = await listen(rawEdge(play, certificate));
    const agent = new https.Agent({ keepAlive: true, ca: certificate.cert });
    running.add(() => agent.destroy());
    await visitAll(clientOf('node-fetch', `localhost:${port}`, { secure: true, agent }), 10, 5);
  });

  test('on undici with a dispatcher of the caller', async () => {
    const { port } = await listen(rawEdge(play, certificate));
    const dispatcher = new UndiciAgent({ connect: { ca: certificate.cert } });
    running.add(() => dispatcher.destroy());
    const fetchApi = createUndiciFetch({ dispatcher });
    await visitAll(clientOf('undici', `localhost:${port}`, { secure: true, fetchApi }), 10, 5);
  });
});

test('a connection of the caller’s agent that has brought a wrong answer is not used again', async () => {
  const { port } = await listen(rawEdge(PLAYS['the answer before instead of its own'] as Play));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  running.add(() => agent.destroy());
  const client = clientOf('node-fetch', `127.0.0.1:${port}`, { agent });
  const codes: (string | undefined)[] = [];
  for (let call = 0; call < 4; call += 1) {
    const { tntId, named, code } = await visit(client);
    expect(named.filter((name) => name !== tntId)).toEqual([]);
    codes.push(code);
    // The agent has its connection back.
    await new Promise(setImmediate);
  }
  // The first call of each connection is answered rightly.
  expect(codes).toEqual([undefined, 'ERR_TARGET_INVALID_RESPONSE', undefined, 'ERR_TARGET_INVALID_RESPONSE']);
});

test('a dispatcher of the caller’s closes its connections for a while behind a wrong answer', async () => {
  const connections: RawConnection[] = [];
  const { port } = await listen(
    rawEdge((asked, connection) => {
      if (!connections.includes(connection)) {
        connections.push(connection);
      }
      // The first connection alone is out of step.
      const isMixed = connection === connections[0];
      connection.socket.write(((isMixed && previous(asked, connection)) || asked).answer);
    }),
  );
  const dispatcher = new UndiciAgent({ connections: 1 });
  running.add(() => dispatcher.destroy());
  const client = clientOf('undici', `127.0.0.1:${port}`, { fetchApi: createUndiciFetch({ dispatcher }) });
  const codes: (string | undefined)[] = [];
  for (let call = 0; call < 6; call += 1) {
    codes.push((await visit(client)).code);
  }
  expect(codes.filter((code) => code !== undefined).length).toBeLessThanOrEqual(2);
  expect(codes.slice(-2)).toEqual([undefined, undefined]);
});

test('clients that share a fetch on undici see nothing of each other', async () => {
  const edge = await listenTo((asked, connection) => {
    connection.socket.write((previous(asked, connection) ?? asked).answer);
  });
  const fetchApi = createUndiciFetch(ONE);
  running.add(() => fetchApi.close());
  const [one, other] = [
    clientOf('undici', edge.host, { fetchApi }),
    clientOf('undici', edge.host, { fetchApi }),
  ];
  await visit(one);
  expect(await visit(other)).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', named: [] });
});

describe.each(TRANSPORTS)('on %s an answer passes', (kind) => {
  const answering = (toId: (asked: Asked) => string | undefined) =>
    rawEdge((asked, { socket }) => {
      const { requestId: _, ...answer } = JSON.parse(answerOf('', asked.tntId));
      const requestId = toId(asked);
      socket.write(httpOf(JSON.stringify({ ...answer, ...(requestId !== undefined && { requestId }) })));
    });

  test.each<[string, (asked: Asked) => string | undefined]>([
    ['without a requestId', () => undefined],
    ['with one that was never issued', () => 'recorded'],
    ['with an empty one', () => ''],
  ])('%s', async (_, toId) => {
    const { host } = await listen(answering(toId));
    const client = clientOf(kind, host);
    const outcomes = [await visit(client), await visit(client)];
    expect(outcomes).toMatchObject([{ code: undefined }, { code: undefined }]);
  });

  test('to each of the calls that a caller gave the same requestId', async () => {
    const { host } = await listen(answering(({ requestId }) => requestId));
    const client = clientOf(kind, host);
    const calls = Array.from({ length: 5 }, () => visit(client, { requestId: 'same' }));
    const outcomes = [...(await Promise.all(calls)), await visit(client, { requestId: 'same' })];
    expect(outcomes.every(({ code }) => code === undefined)).toBe(true);
  });

  test('to another client, which issued no such requestId', async () => {
    const { host } = await listen(answering(() => 'mine'));
    await visit(clientOf(kind, host), { requestId: 'mine' });
    expect(await visit(clientOf(kind, host))).toMatchObject({ code: undefined });
  });
});

test('a fetch of the caller may answer calls with what it has recorded', async () => {
  const fetchApi = async () => new Response(answerOf('first', 'recorded.35_0'));
  const client = clientOf('node-fetch', 'edge.example', { fetchApi });
  const codes = [await visit(client, { requestId: 'first' }), await visit(client)].map(({ code }) => code);
  expect(codes).toEqual([undefined, undefined]);
});
