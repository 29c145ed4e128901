import type { Connections } from '../http/connections.js';
import type { FetchApi } from '../http/fetch-api.js';
import type { ProxyEnvironment, ProxyRules } from '../http/proxy-rules.js';

/** A timer that runs, as the platform's own `setTimeout` gives it. */
export type Timer = ReturnType<typeof setTimeout>;

/** A Node stream, as far as a body is read from it. */
export interface NodeStream {
  readonly errored: Error | null;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: 'data' | 'end' | 'close' | 'error', listener: (value: unknown) => void): unknown;
  destroy(): unknown;
}

/** The platform's sockets, which the client keeps alive, measures, and closes when they are dead. */
export interface Sockets {
  /** Makes the connections of one client, through proxies where there are rules. None is opened before the first call. */
  open(proxies?: ProxyRules): Connections;
  /** Closes the idle connections of somebody else's agent to the origin of a URL. */
  dropIdleOf(agent: object, url: string): void;
  /** Looks up a host's name as the connections do. Rejects when the name has no address. */
  lookUp(hostname: string): Promise<unknown>;
}

/** An open file, which is read piece by piece. */
export interface OpenFile {
  /** Tells a regular file from folders, pipes and devices. */
  isRegular(): Promise<boolean>;
  /** Resolves with the next piece, which has at most `maxBytes`. An empty piece is the end. */
  read(maxBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The file system, as far as an artifact is read from it. */
export interface Files {
  /** Opens the file of a `file:` URL. Rejects with the system's own error. */
  open(url: string): Promise<OpenFile>;
  /** The digest of a file's bytes, in base64. */
  sha256(bytes: Uint8Array): string;
}

/** The signals that a process is sent. */
export interface Signals {
  on(name: string, listener: (name: string) => void): unknown;
  off(name: string, listener: (name: string) => void): unknown;
}

/**
 * The parts of the platform that the core uses and that are no globals of the web. `#platform` is `node.ts` or `web.ts`, and
 * both export exactly these.
 */
export interface Platform {
  /**
   * Loads the default fetch for the first call that needs it, because it takes half of the time of an import of the package.
   * Returns undefined when it is loaded. A load that failed is forgotten, so that the next call tries again.
   */
  loadDefaultFetch(): Promise<void> | undefined;
  /** The fetch of clients that are given none. It has to be loaded first. */
  readonly defaultFetch: FetchApi;
  /** Sockets are undefined where the platform has only a fetch. */
  readonly sockets: Sockets | undefined;
  /** Reads which proxies the environment names at the moment. Undefined where the connections are not the client's own. */
  readonly proxies: { read(): ProxyEnvironment } | undefined;
  /** Files are undefined where the platform has none. */
  readonly files: Files | undefined;
  /** Signals are undefined where no process can be sent any. */
  readonly processSignals: Signals | undefined;
  /** Lets the process end though its parent could still write to it, as the primary of a cluster can; they stay connected. */
  releaseChannel(): void;
  /**
   * A client begins then what it does unasked, such as to download. Some runtimes forbid the network, timers and random
   * bytes until there is a request.
   */
  readonly startsAt: 'create' | 'first-call';
  /** Lets a signal have any number of listeners without a warning. */
  allowListeners(signal: AbortSignal): void;
  isNodeStream(body: unknown): body is NodeStream;
  /** Recognises errors, those of another realm too. */
  isNativeError(value: unknown): value is Error;
  /** Returns 4 or 6 for an IP address of that version, and 0 for anything else. */
  isIp(text: string): number;

  /** Calls a function when the current turn of the event loop is over. */
  later(act: () => void): void;
  /** Lets the process end while a timer runs. */
  unref<Running extends Timer | undefined>(timer: Running): Running;
  /** Keeps the process alive while a timer runs. */
  ref(timer: Timer | undefined): void;

  /** Fills an array with random bytes that nobody can guess. */
  fillRandom(bytes: Uint8Array): void;
  /** Counts the bytes of a text in UTF-8. */
  utf8Length(text: string): number;
  /** Reads a text from UTF-8 bytes. A byte order mark is part of the text, and bytes that are no UTF-8 are replaced. */
  toText(bytes: Uint8Array): string;
  /** Reads the text of UTF-8 bytes without its byte order mark. Throws on bytes that are no UTF-8. */
  toExactText(bytes: Uint8Array): string;
  /** Reads a text from bytes that are one character each. */
  fromLatin1(bytes: Uint8Array): string;
  /** Writes each byte as two lower-case hexadecimal digits. */
  toHex(bytes: Uint8Array): string;
  /** Writes bytes in the standard alphabet of Base64, with padding. */
  toBase64(bytes: Uint8Array): string;
  /** Writes a text as UTF-8. A lone surrogate is replaced. */
  toBytes(text: string): Uint8Array;
  /** Joins pieces into one. */
  concat(pieces: readonly Uint8Array[]): Uint8Array;
}
