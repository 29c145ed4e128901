/**
 * A request of a browser, in the form that all functions of this entry take. `fromNodeRequest` and `fromFetchRequest`
 * make it, and so does every program that can answer its three questions.
 */
export interface IncomingRequest {
  /** The absolute URL of the page. It is empty when it is not known. */
  readonly url: string;
  /** The method, such as `GET`. A request without one counts as `GET`. */
  readonly method?: string | undefined;
  /** The visitor's IP address, where it can be trusted. */
  readonly ipAddress?: string | undefined;
  /** Returns the value of a header by its name in lower case. */
  header(name: string): string | undefined;
}
