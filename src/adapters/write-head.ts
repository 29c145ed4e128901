import type { Visit } from './http.js';

/** The answer of a server of Node. */
export interface NodeResponseLike {
  readonly headersSent: boolean;
  writeHead: (...given: never[]) => unknown;
  setHeader(name: string, value: string): unknown;
  appendHeader(name: string, value: string): unknown;
  removeHeader(name: string): void;
}

/**
 * Adds the headers of a visit to an answer at the last moment, when `writeHead` is called. Node calls it for every answer,
 * however early the framework or the user sends it.
 */
export function writeWithHead(response: NodeResponseLike, visit: Visit): void {
  const { writeHead } = response;
  response.writeHead = (...given: never[]): unknown => {
    let rest: readonly unknown[] = given;
    try {
      rest = addHeaders(response, visit, given);
    } catch {
      // The answer is sent as it was meant, without the visit's headers.
    }
    return Reflect.apply(writeHead, response, rest);
  };
  if (response.headersSent) {
    visit.headersSent();
  }
}

/** Adds the headers that are due, and returns what is left to be given to `writeHead`. */
function addHeaders(response: NodeResponseLike, visit: Visit, given: readonly unknown[]): readonly unknown[] {
  const due = response.headersSent ? [] : visit.headers();
  visit.headersSent();
  if (due.length === 0) {
    return given;
  }
  const last = given.at(-1);
  const hasHeaders = typeof last === 'object' && last !== null;
  if (hasHeaders) {
    // Node lets these replace headers of the same name, such as the cookies of the visit.
    replaceHeaders(response, last);
  }
  for (const [name, value] of due) {
    response[name === 'Cache-Control' ? 'setHeader' : 'appendHeader'](name, value);
  }
  return hasHeaders ? given.slice(0, -1) : given;
}

/**
 * Sets the headers that `writeHead` was given: an object, a list of names and values in turn, or a list of pairs.
 *
 * @see https://nodejs.org/api/http.html#responsewriteheadstatuscode-statusmessage-headers
 */
function replaceHeaders(response: NodeResponseLike, headers: object): void {
  const items: readonly unknown[] = Array.isArray(headers) ? headers : Object.entries(headers);
  const list = (Array.isArray(items[0]) ? items.flat() : items) as string[];
  for (let at = 0; at < list.length; at += 2) {
    response.removeHeader(list[at] as string);
  }
  for (let at = 0; at < list.length; at += 2) {
    response.appendHeader(list[at] as string, list[at + 1] as string);
  }
}
