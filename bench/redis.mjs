/** A redis-server of its own, and the smallest client that a store can use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Starts a server, which ends with this process, and connects to it. */
export async function startRedis() {
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--loglevel', 'warning'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  server.on('error', () => {
    throw new Error('redis-server is not installed: apt-get install redis-server');
  });
  process.on('exit', () => server.kill('SIGKILL'));
  for (let tried = 0; ; tried++) {
    try {
      return await openClient(port);
    } catch (error) {
      if (tried === 500) {
        throw error;
      }
      await sleep(20);
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A client with the method of node-redis. It reads answers one by one, as they come. */
async function openClient(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setNoDelay(true);
  const waiting = [];
  let rest = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    rest += piece;
    for (let read = readAnswer(rest, 0); read; read = readAnswer(rest, 0)) {
      rest = rest.slice(read.end);
      const { resolve, reject } = waiting.shift();
      if (read.error) {
        reject(new Error(read.error));
      } else {
        resolve(read.value);
      }
    }
  });
  return {
    sendCommand: (args) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
        socket.write(`*${args.length}\r\n${parts.join('')}`);
      }),
  };
}

/** Reads one answer of the protocol RESP2; undefined when it is not there as a whole. Texts are ASCII. */
function readAnswer(text, from) {
  const lineEnd = text.indexOf('\r\n', from);
  if (lineEnd < 0) {
    return undefined;
  }
  const line = text.slice(from + 1, lineEnd);
  const end = lineEnd + 2;
  switch (text[from]) {
    case '-':
      return { error: line, end };
    case ':':
      return { value: Number(line), end };
    case '$':
      return readText(text, Number(line), end);
    case '*':
      return readList(text, Number(line), end);
    default:
      return { value: line, end };
  }
}

function readText(text, length, from) {
  if (length < 0) {
    return { value: null, end: from };
  }
  const end = from + length + 2;
  return text.length < end ? undefined : { value: text.slice(from, from + length), end };
}

function readList(text, count, from) {
  const value = [];
  let end = from;
  for (let index = 0; index < count; index++) {
    const read = readAnswer(text, end);
    if (!read) {
      return undefined;
    }
    value.push(read.value);
    end = read.end;
  }
  return { value, end };
}
