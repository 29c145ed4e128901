import type { FetchResponse } from './fetch-api.js';

/** The headers of an answer. They are read with care, because the caller's own fetch may return anything. */
export class SafeHeaders {
  readonly #response: FetchResponse;

  constructor(response: FetchResponse) {
    this.#response = response;
  }

  get(name: string): string | null {
    return headerOf(this.#response, name);
  }
}

/** Reads one header of an answer. Returns null when the answer has no headers, or something else instead of them. */
export function headerOf({ headers }: FetchResponse, name: string): string | null {
  const value: unknown = typeof headers?.get === 'function' ? headers.get(name) : null;
  return typeof value === 'string' ? value : null;
}
