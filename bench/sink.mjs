/** Where notifications go: a fetch that answers at once, so that nothing but the SDK's own work is measured. */

const BODY = '{"status":200,"requestId":"sink","client":"sink","id":{}}';
const HEADERS = new Headers({ 'content-type': 'application/json' });

/** Counts the calls it gets and, when asked to, keeps their bodies. */
export class Sink {
  calls = 0;
  /** @type {string[] | undefined} */
  kept;

  /** A stand-in for the global fetch. */
  fetch = async (_url, init) => {
    this.calls += 1;
    this.kept?.push(init.body);
    return {
      ok: true,
      status: 200,
      statusText: 'OK',
      headers: HEADERS,
      text: async () => BODY,
      json: async () => JSON.parse(BODY),
    };
  };
}
