import type { FetchResponse } from './fetch-api.js';

/** The headers of an answer, which may be anybody's. */
export class SafeHeaders {
  readonly #response: FetchResponse;

  constructor(response: FetchResponse) {
    this.#response = response;
  }

  get(name: string): string | null {
    return headerOf(this.#response, name);
  }
}

/** Reads one header of an answer that may have none, or something else in their place. */
export function headerOf({ headers }: FetchResponse, name: string): string | null {
  const value: unknown = typeof headers?.get === 'function' ? headers.get(name) : null;
  return typeof value === 'string' ? value : null;
}
